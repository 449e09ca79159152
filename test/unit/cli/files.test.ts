import { mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { changedFiles, LARGEST_FILE, listFiles, namedRoot } from '../../../src/cli/demo/files.ts'

let root: string

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'heddle-files-'))
})

afterEach(() => {
  rmSync(root, { recursive: true })
})

function write(path: string, content: string | Uint8Array): void {
  mkdirSync(join(root, path, '..'), { recursive: true })
  writeFileSync(join(root, path), content)
}

function paths(everyKind: boolean, limit = Infinity): string[] {
  return listFiles(root, everyKind, limit).files.map((file) => relative(root, file.path))
}

test('text and source files in all folders, largest first', () => {
  write('a.ts', 'aa')
  write('deep/er/b.md', 'bbb')
  write('node_modules/x/LICENSE', 'c')
  write('picture.png', 'png')
  write('.git/config.txt', 'never')
  symlinkSync(join(root, 'a.ts'), join(root, 'link.ts'))
  expect(paths(false)).toEqual(['deep/er/b.md', 'a.ts', 'node_modules/x/LICENSE'])
})

test('every kind of file, if asked for', () => {
  write('a.log', 'aa')
  write('b', 'b')
  expect(paths(false)).toEqual([])
  expect(paths(true)).toEqual(['a.log', 'b'])
})

test('binary files and large ones are left out, and counted', () => {
  write('a.txt', 'text')
  write('b.txt', Uint8Array.of(65, 0, 66))
  write('c.txt', 'c'.repeat(LARGEST_FILE + 1))
  const listing = listFiles(root, false, Infinity)
  expect(listing.files).toHaveLength(1)
  expect(listing.leftOut).toEqual({ large: 1, binary: 1, unreadable: 0 })
  expect(listing.bytes).toBe(4)
  expect(listing.cut).toBe(false)
})

test('a limit gives the same selection every time', () => {
  for (let i = 0; i < 50; i++) write(`${i}.txt`, 'x'.repeat(100))
  const listing = listFiles(root, false, 1000)
  expect(listing.bytes).toBe(1000)
  expect(listing.foundFiles).toBe(50)
  expect(listing.foundBytes).toBe(5000)
  expect(listFiles(root, false, 1000)).toEqual(listing)
  // One file is read whatever its size.
  expect(listFiles(root, false, 1).files).toHaveLength(1)
})

test('files that change meanwhile are noticed', () => {
  for (const name of ['a.txt', 'b.txt', 'c.txt', 'd.txt']) write(name, 'x')
  const { files } = listFiles(root, false, Infinity)
  expect(changedFiles(files)).toEqual([])
  write('a.txt', 'xx')
  rmSync(join(root, 'b.txt'))
  utimesSync(join(root, 'c.txt'), 1, 1)
  expect(changedFiles(files).sort()).toEqual(['a.txt', 'b.txt', 'c.txt'].map((name) => join(root, name)))
})

test('a directory that is none is refused', () => {
  write('a.txt', 'x')
  expect(namedRoot(root)).toBe(root)
  expect(() => namedRoot(join(root, 'a.txt'))).toThrow('not a directory')
  expect(() => namedRoot(join(root, 'nowhere'))).toThrow('not a directory')
})
