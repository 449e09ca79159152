import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

/** One file of the project. The path is relative to the project's root and uses forward slashes. */
export interface SourceFile {
  readonly path: string
  readonly text: string
}

const root = new URL('../../', import.meta.url)

/**
 * Every file under the given top-level folders. A house rule over no files at all would hold without meaning anything,
 * so finding no TypeScript under src is an error.
 */
export function projectFiles(...folders: string[]): SourceFile[] {
  const files: SourceFile[] = []
  for (const folder of new Set(['src', ...folders])) walk(folder, files)
  if (!files.some((file) => file.path.startsWith('src/') && isTypeScript(file))) {
    throw new Error('no source files found under src')
  }
  return files.filter((file) => folders.includes(topFolder(file.path)))
}

function walk(folder: string, into: SourceFile[]): void {
  const url = new URL(`${folder}/`, root)
  let entries
  try {
    entries = readdirSync(url, { withFileTypes: true })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = `${folder}/${entry.name}`
    // The benchmarks install the engines they compare with in a folder of their own.
    if (entry.name === 'node_modules') continue
    if (entry.isDirectory()) walk(path, into)
    else if (entry.isFile()) into.push({ path, text: readFileSync(fileURLToPath(new URL(path, root)), 'utf8') })
  }
}

export function isTypeScript(file: SourceFile): boolean {
  return file.path.endsWith('.ts')
}

export function topFolder(path: string): string {
  return path.split('/')[0]!
}

/** The floor a path stands on: `tree` for src/tree/insert.ts, undefined for a file directly in src or outside it. */
export function floorOf(path: string): string | undefined {
  const parts = path.split('/')
  return parts[0] === 'src' && parts.length > 2 ? parts[1] : undefined
}

const parsed = new WeakMap<SourceFile, ts.SourceFile>()

export function parse(file: SourceFile): ts.SourceFile {
  let tree = parsed.get(file)
  if (tree === undefined) {
    tree = ts.createSourceFile(file.path, file.text, ts.ScriptTarget.ESNext, true)
    parsed.set(file, tree)
  }
  return tree
}

export function visit(node: ts.Node, callback: (node: ts.Node) => void): void {
  callback(node)
  ts.forEachChild(node, (child) => visit(child, callback))
}

/** `path:line`, the first line being 1. */
export function place(file: SourceFile, node: ts.Node): string {
  const tree = parse(file)
  return `${file.path}:${tree.getLineAndCharacterOfPosition(node.getStart(tree)).line + 1}`
}
