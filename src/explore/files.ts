/** Which files are instrumented. */
import { readdirSync, statSync } from 'node:fs'
import { join, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

const SOURCE = /\.[mc]?[jt]sx?$/
const DECLARATIONS = /\.d\.[mc]?ts$/

/** What the explorer itself is made of must not be instrumented: its folder, and the error class that it uses. */
const ownFolder = fileURLToPath(new URL('.', import.meta.url))
const ownError = fileURLToPath(new URL('../memory/error.', import.meta.url))

/** Whether a file is part of the explorer. */
export function isOwn(path: string): boolean {
  return path.startsWith(ownFolder) || path.startsWith(ownError)
}

function* sourcesBelow(path: string): Generator<string> {
  if (!statSync(path).isDirectory()) {
    yield path
    return
  }
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (entry.name === 'node_modules' || entry.name.startsWith('.')) continue
    const child = join(path, entry.name)
    if (entry.isDirectory()) yield* sourcesBelow(child)
    else if (SOURCE.test(entry.name) && !DECLARATIONS.test(entry.name)) yield child
  }
}

/**
 * The source files in folders, and files named themselves.
 * @param include paths of files and folders, relative to `root`
 * @param exclude paths of files and folders to be left out
 */
export function sourceFiles(root: string, include: readonly string[], exclude: readonly string[] = []): string[] {
  const left = exclude.map((path) => resolve(root, path))
  const isLeft = (path: string): boolean => left.some((one) => path === one || path.startsWith(one + sep))
  const found = include.flatMap((path) => [...sourcesBelow(resolve(root, path))])
  return [...new Set(found)].filter((path) => !isOwn(path) && !isLeft(path))
}

/** What instrumented code is to import, as seen from the module that is asking. */
export function runtimeUrl(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? './runtime.ts' : './runtime.js', import.meta.url)
}
