import { lstatSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, extname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { hashText } from '../random.ts'
import { UsageError } from '../usage-error.ts'
import { packageFolder } from '../version.ts'

/** Larger files are left out: bundles and generated tables, mostly. */
export const LARGEST_FILE = 2 * 2 ** 20

/** A walk ends after this many files, so that it comes back from any directory. */
const MOST_FILES = 200_000

const KINDS = new Set(
  (
    'txt md mdx markdown rst adoc js mjs cjs jsx ts mts cts tsx json json5 jsonc css scss less html htm xml svg yml ' +
    'yaml toml ini c h cc cpp hpp rs go py rb java kt swift php pl lua sh bash sql graphql proto vue svelte csv tsv'
  ).split(' '),
)
const NAMES = /^(?:readme|license|licence|changelog|history|authors|contributing|notice|makefile|dockerfile)$/i
const NEVER = new Set(['.git', '.hg', '.svn'])

export interface TextFile {
  readonly path: string
  readonly size: number
  readonly modified: number
}

export interface Listing {
  readonly root: string
  /** What the workers read, largest file first: the last one to finish is then never far behind. */
  readonly files: readonly TextFile[]
  readonly bytes: number
  /** Everything that the walk found and that could have been read. */
  readonly foundFiles: number
  readonly foundBytes: number
  readonly leftOut: { readonly large: number; readonly binary: number; readonly unreadable: number }
  /** The walk was ended early because there was too much. */
  readonly cut: boolean
}

/** Where the files are looked for when no directory is named. */
export function defaultRoot(): string {
  if (isDirectory('node_modules')) return resolve('.')
  const own = resolve(fileURLToPath(packageFolder()))
  // Installed elsewhere: the packages beside it; otherwise its own project.
  return basename(dirname(own)) === 'node_modules' ? dirname(own) : own
}

export function namedRoot(directory: string): string {
  if (!isDirectory(directory)) throw new UsageError(`'${directory}' is not a directory that can be read`)
  return resolve(directory)
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}

/**
 * The files to read. If `limit` bytes do not hold them all, the choice is made by a hash of the names: the same on every
 * run, and spread over all packages.
 */
export function listFiles(root: string, everyKind: boolean, limit: number): Listing {
  const leftOut = { large: 0, binary: 0, unreadable: 0 }
  const { candidates, cut } = walk(root, everyKind, leftOut)
  const foundBytes = candidates.reduce((sum, file) => sum + file.size, 0)
  if (foundBytes > limit) {
    const rank = new Map(candidates.map((file) => [file, hashText(relative(root, file.path))]))
    candidates.sort((a, b) => rank.get(a)! - rank.get(b)!)
  }
  const files: TextFile[] = []
  let bytes = 0
  for (const file of candidates) {
    if (bytes > 0 && bytes + file.size > limit) break
    // Read whole: it tells text from binary, and both timed runs find the files cached.
    const content = contentOf(file.path)
    if (content === undefined) leftOut.unreadable++
    else if (content.includes(0)) leftOut.binary++
    else {
      files.push(file)
      bytes += file.size
    }
  }
  files.sort((a, b) => b.size - a.size || (a.path < b.path ? -1 : 1))
  return { root, files, bytes, foundFiles: candidates.length, foundBytes, leftOut, cut }
}

function walk(root: string, everyKind: boolean, leftOut: { large: number; unreadable: number }) {
  const candidates: TextFile[] = []
  const folders = [root]
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const entry of entriesOf(folder, leftOut)) {
      const path = join(folder, entry.name)
      if (entry.isDirectory() && !NEVER.has(entry.name)) folders.push(path)
      if (!entry.isFile() || !(everyKind || isText(entry.name))) continue
      if (candidates.length >= MOST_FILES) return { candidates, cut: true }
      const stat = lstatSync(path, { throwIfNoEntry: false })
      if (stat === undefined) leftOut.unreadable++
      else if (stat.size > LARGEST_FILE) leftOut.large++
      else candidates.push({ path, size: stat.size, modified: stat.mtimeMs })
    }
  }
  return { candidates, cut: false }
}

function entriesOf(folder: string, leftOut: { unreadable: number }) {
  try {
    return readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))
  } catch {
    leftOut.unreadable++
    return []
  }
}

function isText(name: string): boolean {
  return KINDS.has(extname(name).slice(1).toLowerCase()) || NAMES.test(name)
}

function contentOf(path: string): Buffer | undefined {
  try {
    return readFileSync(path)
  } catch {
    return undefined
  }
}

/** The files that are no longer as they were listed. */
export function changedFiles(files: readonly TextFile[]): string[] {
  return files
    .filter((file) => {
      const stat = lstatSync(file.path, { throwIfNoEntry: false })
      return stat === undefined || stat.size !== file.size || stat.mtimeMs !== file.modified
    })
    .map((file) => file.path)
}
