/** Which files a program consists of. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseSync } from 'oxc-parser'
import { isTypeScript } from './source.ts'

/** The explorer itself is never explored. */
const OWN = dirname(fileURLToPath(new URL('.', import.meta.url))) + sep

const EXTENSIONS = ['.ts', '.mts', '.js', '.mjs']

/** What a compiled import is called in the source. */
const TYPED: Readonly<Record<string, string>> = { '.js': '.ts', '.mjs': '.mts' }

function isFile(path: string): boolean {
  return existsSync(path) && statSync(path).isFile()
}

function locate(specifier: string, from: string): string | undefined {
  const path = resolve(dirname(from), specifier)
  if (isFile(path)) return path
  const typed = path.replace(/\.m?js$/, (extension) => TYPED[extension]!)
  if (isFile(typed)) return typed
  for (const extension of EXTENSIONS) if (isFile(path + extension)) return path + extension
  for (const extension of EXTENSIONS) {
    const index = resolve(path, `index${extension}`)
    if (isFile(index)) return index
  }
  return undefined
}

/** The relative modules that a file imports, or exports from, for more than their types. */
function importsOf(path: string): string[] {
  const lang = isTypeScript(path) ? 'ts' : 'js'
  const { module } = parseSync(path, readFileSync(path, 'utf8'), { lang, sourceType: 'module' })
  const found: string[] = []
  for (const { moduleRequest, entries } of module.staticImports) {
    if (entries.length === 0 || entries.some((entry) => !entry.isType)) found.push(moduleRequest.value)
  }
  for (const { entries } of module.staticExports) {
    for (const entry of entries) if (entry.moduleRequest && !entry.isType) found.push(entry.moduleRequest.value)
  }
  return found.filter((specifier) => /^\.\.?\//.test(specifier))
}

/**
 * The file and everything it reaches by static relative imports and exports, without installed packages.
 * @param entry an absolute path
 * @returns absolute paths, the entry first
 */
export function crawl(entry: string): string[] {
  const found = new Set([resolve(entry)])
  for (const path of found) {
    for (const specifier of importsOf(path)) {
      const target = locate(specifier, path)
      if (target === undefined || target.startsWith(OWN) || !/\.[mc]?[jt]s$/.test(target)) continue
      if (!target.includes(`${sep}node_modules${sep}`)) found.add(target)
    }
  }
  return [...found]
}
