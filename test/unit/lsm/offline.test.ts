import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { isDirectory, linkFile, openForReading, openForWriting, Scratch } from '../../../src/lsm/offline.ts'
import { HeddleError } from '../../../src/memory/error.ts'

let root: string

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'heddle-offline-'))
})

afterEach(() => {
  rmSync(root, { recursive: true })
})

test('reading makes no lock file, and notices that one was made meanwhile', () => {
  const first = openForReading(root)
  first.close()
  expect(readdirSync(root)).toEqual([])
  const second = openForReading(root)
  const writer = openForWriting(root)
  expect(() => second.close()).toThrow('opened by a store meanwhile')
  expect(() => openForReading(root)).toThrow(HeddleError)
  writer.close()
  const third = openForReading(root)
  expect(() => openForWriting(root)).toThrow('in use')
  third.close()
  openForWriting(root).close()
})

test('a directory is made for writing, and found through a link', () => {
  const path = join(root, 'a', 'b')
  expect(isDirectory(path)).toBe(false)
  const made = openForWriting(path)
  made.close()
  expect(isDirectory(path)).toBe(true)
  symlinkSync(path, join(root, 'link'))
  expect(isDirectory(join(root, 'link'))).toBe(true)
  expect(openForReading(join(root, 'link')).directory).toBe(made.directory)
  writeFileSync(join(root, 'file'), '')
  expect(isDirectory(join(root, 'file'))).toBe(false)
})

test('a link of a file, or an error that says why not', () => {
  const [from, to] = [openForWriting(join(root, 'from')), openForWriting(join(root, 'to'))]
  writeFileSync(join(from.directory, '000001.table'), 'x')
  expect(linkFile(from, to, '000001.table')).toBe(true)
  expect(readFileSync(join(to.directory, '000001.table'), 'utf8')).toBe('x')
  expect(() => linkFile(from, to, '000001.table')).toThrow('EEXIST')
  from.close()
  to.close()
})

test('a scratch directory is made when it is asked for, and goes', () => {
  const scratch = new Scratch()
  scratch.close()
  const file = scratch.disk().create('000001.temp')
  file.append(new Uint8Array(3), 0, 3)
  file.close()
  expect(scratch.disk().list()).toEqual(['000001.temp'])
  const { directory } = scratch.disk() as unknown as { directory: string }
  scratch.close()
  expect(isDirectory(directory)).toBe(false)
})
