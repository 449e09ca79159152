import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type FileCalls, FileDisk, openDirectory } from '../../../src/lsm/file-disk.ts'
import type { FileError } from '../../../src/lsm/file-error.ts'

let root: string
let disk: FileDisk

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'heddle-disk-'))
  disk = new FileDisk(openDirectory(join(root, 'a', 'store')))
})
afterEach(() => rmSync(root, { recursive: true }))

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

function errorOf(action: () => unknown): Partial<FileError> {
  try {
    action()
  } catch (error) {
    const { code, file, offset, operation, errno } = error as FileError
    return { code, file, offset, operation, errno }
  }
  return {}
}

function write(name: string, text: string): void {
  const file = disk.create(name)
  file.append(bytes(text), 0, text.length)
  file.close()
}

function read(name: string): string {
  const file = disk.open(name, 'read')
  const into = new Uint8Array(file.size)
  expect(file.read(into, 0, file.size, 0)).toBe(file.size)
  file.close()
  return new TextDecoder().decode(into)
}

describe('a directory', () => {
  it('is made with its parents, for its owner only', () => {
    expect(statSync(join(root, 'a')).mode & 0o777).toBe(0o700)
    expect(statSync(disk.directory).mode & 0o777).toBe(0o700)
    expect(openDirectory(disk.directory)).toBe(disk.directory)
  })

  it('may be reached through a link, and may not be a file', () => {
    symlinkSync(disk.directory, join(root, 'link'))
    expect(openDirectory(join(root, 'link'))).toBe(disk.directory)
    writeFileSync(join(root, 'file'), '')
    expect(errorOf(() => openDirectory(join(root, 'file')))).toMatchObject({ code: 'HEDDLE_IO', file: '.' })
  })

  it('lists, renames, removes and syncs', () => {
    write('000001.temp', 'one')
    write('000002.log', 'two')
    disk.rename('000001.temp', '000001.manifest')
    disk.syncDirectory()
    expect(disk.list().sort()).toEqual(['000001.manifest', '000002.log'])
    disk.remove('000002.log')
    expect(disk.sizeOf('000002.log')).toBeUndefined()
    expect(disk.sizeOf('000001.manifest')).toBe(3)
    expect(errorOf(() => disk.remove('000002.log'))).toMatchObject({ operation: 'remove', errno: 'ENOENT' })
  })
})

describe('a file', () => {
  it('is made for its owner only, and only if there is none', () => {
    write('000001.log', 'one')
    expect(statSync(join(disk.directory, '000001.log')).mode & 0o777).toBe(0o600)
    expect(errorOf(() => disk.create('000001.log'))).toEqual({
      code: 'HEDDLE_IO',
      file: '000001.log',
      offset: 0,
      operation: 'create',
      errno: 'EEXIST',
    })
    expect(read('000001.log')).toBe('one')
  })

  it('is written, appended to, cut, and read up to its end', () => {
    const file = disk.create('000001.log')
    expect(file.append(bytes('hello'), 0, 5)).toBe(0)
    expect(file.append(bytes('xx world'), 2, 6)).toBe(5)
    file.write(bytes('J'), 0, 1, 0)
    file.sync()
    expect(file.size).toBe(11)
    const into = new Uint8Array(20)
    expect(file.read(into, 2, 18, 6)).toBe(5)
    expect(new TextDecoder().decode(into.subarray(2, 7))).toBe('world')
    file.truncate(5)
    expect(file.size).toBe(5)
    file.close()
    file.close()
    expect(read('000001.log')).toBe('Jello')
  })

  it('takes and gives shared memory', () => {
    const shared = new Uint8Array(new SharedArrayBuffer(8))
    shared.set(bytes('shared'))
    const file = disk.create('000001.log')
    file.append(shared, 1, 5)
    expect(file.read(shared, 0, 5, 0)).toBe(5)
    expect([...shared.slice(0, 5)]).toEqual([...bytes('hared')])
    file.close()
  })

  it('has room set aside for it', () => {
    const file = disk.create('000001.log')
    file.append(bytes('x'), 0, 1)
    file.preallocate(600_000)
    expect(file.size).toBe(600_000)
    file.preallocate(5)
    expect(file.size).toBe(600_000)
    file.close()
    expect(statSync(join(disk.directory, '000001.log')).blocks * 512).toBeGreaterThanOrEqual(600_000)
    expect(readFileSync(join(disk.directory, '000001.log'))[0]).toBe('x'.charCodeAt(0))
  })

  it('is not reached through a link', () => {
    writeFileSync(join(root, 'secret'), 'secret')
    symlinkSync(join(root, 'secret'), join(disk.directory, '000001.log'))
    expect(errorOf(() => disk.open('000001.log', 'write'))).toMatchObject({ errno: 'ELOOP' })
    expect(errorOf(() => disk.create('000001.log'))).toMatchObject({ errno: 'EEXIST' })
    symlinkSync(join(root, 'not-there'), join(disk.directory, '000002.log'))
    expect(errorOf(() => disk.create('000002.log'))).toMatchObject({ errno: 'EEXIST' })
  })

  it('is no directory', () => {
    mkdirSync(join(disk.directory, '000001.log'))
    expect(errorOf(() => disk.open('000001.log', 'read'))).toMatchObject({ errno: 'EINVAL', operation: 'open' })
  })

  it.each(['../000001.log', '/etc/passwd', 'lock', '1.log', ''])('has no other name: %j', (name) => {
    for (const call of [
      () => disk.create(name),
      () => disk.open(name, 'read'),
      () => disk.remove(name),
      () => disk.sizeOf(name),
      () => disk.rename(name, '000001.log'),
      () => disk.rename('000001.log', name),
    ]) {
      expect(errorOf(call)).toMatchObject({ code: 'HEDDLE_INTERNAL' })
    }
  })
})

describe('a short count', () => {
  const short: FileCalls = {
    write: (fd, from, at, length, offset) => writeSync(fd, from, at, Math.min(length, 3), offset),
    read: (fd, into, at, length, offset) => readSync(fd, into, at, Math.min(length, 3), offset),
  }

  it('is followed by a call for the rest', () => {
    disk = new FileDisk(disk.directory, short)
    write('000001.log', 'a long text')
    expect(read('000001.log')).toBe('a long text')
  })

  it('brings the error up', () => {
    let calls = 0
    const failing: FileCalls = {
      ...short,
      write: (...args) => {
        if (++calls === 3) throw Object.assign(new Error('full'), { code: 'ENOSPC' })
        return short.write(...args)
      },
    }
    const file = new FileDisk(disk.directory, failing).create('000001.log')
    expect(errorOf(() => file.append(bytes('a long text'), 0, 11))).toEqual({
      code: 'HEDDLE_NO_SPACE',
      file: '000001.log',
      offset: 6,
      operation: 'write',
      errno: 'ENOSPC',
    })
    expect(file.size).toBe(6)
    file.close()
  })

  it('of nothing is an error', () => {
    const file = new FileDisk(disk.directory, { ...short, write: () => 0 }).create('000001.log')
    expect(errorOf(() => file.append(bytes('text'), 0, 4))).toMatchObject({ code: 'HEDDLE_IO', errno: 'EIO' })
    file.close()
  })
})
