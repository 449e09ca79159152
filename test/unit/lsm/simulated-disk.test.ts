/** The simulator shows what it is said to show: otherwise the crash tests prove nothing. */
import { describe, expect, it } from 'vitest'
import type { FileError } from '../../../src/lsm/file-error.ts'
import { CrashModel, crashStates, forEachCrash } from '../../support/crash-states.ts'
import { random } from '../../support/random.ts'
import { type Errno, type Files, SimulatedDisk } from '../../support/simulated-disk.ts'

const A = '000001.log'
const B = '000002.log'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

function shown(files: Files): string {
  return [...files]
    .map(([name, content]) => `${name}=${new TextDecoder('latin1').decode(content)}`)
    .sort()
    .join(' ')
}

/** All that was seen at the end of the journal. */
function outcomes(disk: SimulatedDisk, count = 400): Set<string> {
  const model = new CrashModel(random(1))
  for (const change of disk.journal) model.apply(change)
  return new Set(Array.from({ length: count }, () => shown(model.state())))
}

function errorOf(action: () => unknown): Partial<FileError> {
  try {
    action()
  } catch (error) {
    const { code, errno, operation } = error as FileError
    return { code, errno, operation }
  }
  return {}
}

describe('a simulated disk', () => {
  it('does what a disk does', () => {
    const disk = new SimulatedDisk()
    const file = disk.create('000001.temp')
    expect(file.append(bytes('hello'), 0, 5)).toBe(0)
    file.write(bytes('J'), 0, 1, 0)
    file.preallocate(8)
    expect(file.size).toBe(8)
    file.truncate(5)
    const into = new Uint8Array(9)
    expect(file.read(into, 1, 8, 1)).toBe(4)
    expect(new TextDecoder().decode(into.subarray(1, 5))).toBe('ello')
    disk.rename('000001.temp', A)
    expect(disk.list()).toEqual([A])
    expect(disk.sizeOf(A)).toBe(5)
    expect(disk.sizeOf(B)).toBeUndefined()
    expect(errorOf(() => disk.open(B, 'read'))).toMatchObject({ errno: 'ENOENT' })
    expect(errorOf(() => disk.create(A))).toMatchObject({ errno: 'EEXIST' })
    expect(errorOf(() => disk.open(A, 'read').append(bytes('x'), 0, 1))).toMatchObject({ errno: 'EBADF' })
    file.close()
    expect(errorOf(() => file.sync())).toMatchObject({ errno: 'EBADF' })
    disk.remove(A)
    expect(disk.list()).toEqual([])
  })

  it('runs out of room, and has it again', () => {
    const disk = new SimulatedDisk()
    disk.capacity = 10
    const file = disk.create(A)
    file.append(bytes('12345678'), 0, 8)
    expect(errorOf(() => file.append(bytes('9012'), 0, 4))).toMatchObject({ code: 'HEDDLE_NO_SPACE', errno: 'ENOSPC' })
    expect(file.size).toBeLessThanOrEqual(10)
    disk.capacity = 20
    file.truncate(8)
    expect(file.append(bytes('9012'), 0, 4)).toBe(8)
  })

  it.each<[Errno, string]>([
    ['EIO', 'create write sync rename sync directory remove list stat'],
    ['ENOSPC', 'create write sync rename'],
    ['EDQUOT', 'create write sync rename'],
    ['EMFILE', 'create sync directory list'],
    ['EROFS', 'create write sync rename remove'],
  ])('fails as told, at each call that can: %s', (errno, expected) => {
    const failed: string[] = []
    for (let at = 1; at <= 8; at++) {
      const disk = new SimulatedDisk()
      disk.fault = { at, errno, once: true }
      const error = errorOf(() => {
        const file = disk.create(A)
        file.append(bytes('x'), 0, 1)
        file.sync()
        disk.rename(A, B)
        disk.syncDirectory()
        disk.remove(B)
        disk.list()
        disk.sizeOf(A)
      })
      if (error.operation !== undefined) failed.push(error.operation)
      expect(disk.faults).toBe(error.operation === undefined ? 0 : 1)
    }
    expect(failed.join(' ')).toBe(expected)
  })

  it('fails for ever, if told so, but only what can fail so', () => {
    const disk = new SimulatedDisk()
    const file = disk.create(A)
    disk.fault = { at: 2, errno: 'ENOSPC', once: false }
    for (let i = 0; i < 3; i++) expect(errorOf(() => file.append(bytes('x'), 0, 1)).errno).toBe('ENOSPC')
    disk.remove(A)
  })
})

describe('after a crash', () => {
  it('what was synced is there, and its entry only if the directory was', () => {
    const disk = new SimulatedDisk()
    const file = disk.create(A)
    file.append(bytes('one'), 0, 3)
    file.sync()
    expect(outcomes(disk)).toEqual(new Set(['', `${A}=one`]))
    disk.syncDirectory()
    expect(outcomes(disk)).toEqual(new Set([`${A}=one`]))
  })

  it('what was not synced is there, or not, or torn, or zeros, or garbage', () => {
    const disk = new SimulatedDisk()
    const file = disk.create(A)
    disk.syncDirectory()
    file.append(new Uint8Array(1024).fill(65), 0, 1024)
    const kinds = new Set<string>()
    const model = new CrashModel(random(1))
    for (const change of disk.journal) model.apply(change)
    for (let i = 0; i < 2000; i++) {
      const content = model.state().get(A)!
      const half = (from: number): string => {
        const part = content.subarray(from, from + 512)
        if (part.length === 0) return '-'
        return part.every((byte) => byte === 65) ? 'A' : part.every((byte) => byte === 0) ? '0' : '?'
      }
      kinds.add(half(0) + half(512))
    }
    for (const kind of ['--', 'AA', 'A-', '0-', '?-', 'A0', 'A?', '0A', '?A', '??', '00', '0?', '?0']) {
      expect(kinds, kind).toContain(kind)
    }
  })

  it('a later write may be there without an earlier one', () => {
    const disk = new SimulatedDisk()
    const file = disk.create(A)
    disk.syncDirectory()
    file.append(bytes('12'), 0, 2)
    file.append(bytes('34'), 0, 2)
    const seen = outcomes(disk, 3000)
    for (const kind of ['', '12', '1234', '\0\x0034', '12\0\0']) expect(seen, kind).toContain(`${A}=${kind}`)
  })

  it('renamings and removals have happened or not, each by itself', () => {
    const disk = SimulatedDisk.with(new Map([[A, bytes('a')]]))
    const initial = disk.initial()
    disk.rename(A, B)
    disk.create(A)
    disk.remove(B)
    const seen = new Set<string>()
    forEachCrash(disk.journal, random(1), 200, (files) => seen.add(shown(files)), initial)
    expect(seen).toEqual(new Set([`${A}=a`, `${B}=a`, `${A}= ${B}=a`, `${A}=`, '']))
  })

  it('a truncation has happened or not', () => {
    const disk = SimulatedDisk.with(new Map([[A, bytes('abc')]]))
    const initial = disk.initial()
    disk.open(A, 'write').truncate(1)
    const seen = new Set<string>()
    forEachCrash(disk.journal, random(1), 50, (files) => seen.add(shown(files)), initial)
    expect(seen).toEqual(new Set([`${A}=abc`, `${A}=a`]))
  })

  it('a failed sync whose data is dropped is not made good by the next one', () => {
    const end = (sync: 'kept' | 'dropped'): Set<string> => {
      const seen = new Set<string>()
      for (let seed = 1; seed < 40; seed++) {
        const disk = new SimulatedDisk()
        const file = disk.create(A)
        disk.syncDirectory()
        file.append(bytes('one'), 0, 3)
        disk.fault = { at: 4, errno: 'EIO', once: true, sync }
        expect(() => file.sync()).toThrow()
        file.sync()
        for (const left of take(crashStates(disk.journal, disk.journal.length, random(seed)), 5)) seen.add(shown(left))
      }
      return seen
    }
    expect(end('kept')).toEqual(new Set([`${A}=one`]))
    const dropped = end('dropped')
    expect(dropped).toContain(`${A}=one`)
    expect(dropped).toContain(`${A}=`)
  })

  it('the states depend on nothing but the seed', () => {
    const disk = new SimulatedDisk()
    const file = disk.create(A)
    file.append(new Uint8Array(2000).fill(7), 0, 2000)
    disk.rename(A, B)
    const run = (seed: number): string[] => {
      const seen: string[] = []
      forEachCrash(disk.journal, random(seed), 20, (files) => seen.push(shown(files)))
      return seen
    }
    expect(run(1)).toEqual(run(1))
    expect(run(1)).not.toEqual(run(2))
  })
})

function* take<T>(items: Iterable<T>, count: number): Generator<T> {
  if (count <= 0) return
  let left = count
  for (const item of items) {
    yield item
    if (--left === 0) return
  }
}
