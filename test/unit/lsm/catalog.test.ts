import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Catalog, placeCatalog, type Version } from '../../../src/lsm/catalog.ts'
import { decodeVersion, encodeVersion, filesOf, type VersionState } from '../../../src/lsm/version-state.ts'
import type { TableMeta } from '../../../src/lsm/table-writer.ts'
import { createArena } from '../../../src/memory/arena.ts'
import { EpochScheme } from '../../../src/reclaim/epoch.ts'
import { claimSlot } from '../../../src/reclaim/participant.ts'

const key = fc.uint8Array({ maxLength: 20 })
const table: fc.Arbitrary<TableMeta> = fc.record({
  id: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
  generation: fc.nat(),
  bytes: fc.nat(),
  entries: fc.nat(),
  deletes: fc.nat(),
  leastSequence: fc.maxSafeNat(),
  greatestSequence: fc.maxSafeNat(),
  smallest: key,
  greatest: key,
})

test('a state comes back from its bytes', () => {
  const state: fc.Arbitrary<VersionState> = fc.record({
    manifest: fc.nat(),
    logs: fc.array(fc.nat()),
    windows: fc.array(fc.nat()),
    levels: fc.array(fc.array(table)),
  })
  fc.assert(fc.property(state, (one) => void expect(decodeVersion(encodeVersion(one))).toEqual(one)))
})

test('bytes that are no state', () => {
  expect(() => decodeVersion(Uint8Array.of(2, 0, 0, 0, 0))).toThrow(/unknown format/)
  expect(() => decodeVersion(Uint8Array.of(1, 0, 0, 0, 0, 0))).toThrow(/does not end/)
})

function state(manifest: number, logs: number[], ...levels: number[][]): VersionState {
  const empty = new Uint8Array(0)
  const rest = { generation: 1, bytes: 1, entries: 1, deletes: 0, leastSequence: 0, greatestSequence: 0 }
  const tables = levels.map((ids) => ids.map((id) => ({ id, ...rest, smallest: empty, greatest: empty })))
  return { manifest, logs, windows: [], levels: tables }
}

test('the files of a version', () => {
  expect(filesOf(state(3, [4, 5], [7], [], [8, 9]))).toEqual([
    '000003.manifest',
    '000004.log',
    '000005.log',
    '000007.table',
    '000008.table',
    '000009.table',
  ])
})

interface Desk {
  readonly catalogs: Catalog[]
  readonly schemes: EpochScheme[]
  readonly removed: string[]
  failing: string
}

function desk(slots = 4, holds = 3): Desk {
  const arena = createArena({
    arenaWords: 1 << 19,
    segmentWords: 4096,
    maxParticipants: 4,
    pageIds: 64,
    leafEntries: 4,
    leafSlots: 2,
    innerEntries: 4,
    inlineBytes: 256,
    maxSnapshots: 2,
    clockBits: 28,
    snapshotMs: 0,
    snapshotWords: 2 ** 30,
    tierWords: 0,
    scheme: 'epoch',
    paranoid: true,
  })
  const geometry = placeCatalog(arena.layout.firstSegment << arena.layout.segmentShift, 4, slots, 256, holds)
  const made: Desk = { catalogs: [], schemes: [], removed: [], failing: '' }
  for (const threadId of [1, 2, 3]) {
    const me = claimSlot(arena, threadId)!
    const scheme = new EpochScheme(arena, me)
    const remove = (name: string): void => {
      if (name === made.failing) throw new Error(`${name} cannot be removed`)
      made.removed.push(name)
    }
    made.schemes.push(scheme)
    made.catalogs.push(new Catalog(arena, scheme, me, geometry, remove))
  }
  made.catalogs[0]!.createFirst(state(1, [2], [3]))
  return made
}

function next(catalog: Catalog, to: VersionState): number {
  const base = catalog.acquire()
  expect(catalog.create(base, to)).toBe(true)
  catalog.release(base)
  return base.number + 1
}

describe('versions', () => {
  test('files go when the last reader of the last version that names them leaves', () => {
    const { catalogs, removed } = desk()
    const [a, b] = catalogs as [Catalog, Catalog]
    const first = a.acquire()
    const again = a.acquire()
    const other = b.acquire()
    expect([first.number, again.number, other.number, b.currentNumber()]).toEqual([1, 1, 1, 1])
    expect(next(b, state(4, [2], [3, 5]))).toBe(2)
    const second = b.acquire()
    expect(second.state).toEqual(state(4, [2], [3, 5]))
    expect(first.state).toEqual(state(1, [2], [3]))
    next(a, state(6, [7], [5]))
    expect(removed).toEqual([])
    a.release(first)
    b.release(other)
    expect(removed).toEqual([])
    a.release(again)
    expect(removed).toEqual(['000001.manifest'])
    b.release(second)
    expect(removed.slice(1).sort()).toEqual(['000002.log', '000003.table', '000004.manifest'])
    expect(a.currentNumber()).toBe(3)
  })

  test('without readers the old version goes at once, and slots are used again and again', () => {
    const { catalogs, removed } = desk()
    for (let i = 10; i < 200; i++) next(catalogs[i % 3]!, state(i, [2], [3]))
    expect(removed).toHaveLength(190)
    expect(removed[0]).toBe('000001.manifest')
  })

  test('whoever builds on an old version has to begin anew', () => {
    const { catalogs, removed } = desk()
    const [a, b] = catalogs as [Catalog, Catalog]
    const base = a.acquire()
    next(b, state(4, [2], [3]))
    expect(a.create(base, state(5, [2], [3]))).toBe(false)
    a.release(base)
    expect(next(a, state(5, [2], [3]))).toBe(3)
    expect(removed).toEqual(['000001.manifest', '000004.manifest'])
  })

  test('the dead hold nothing any more', () => {
    const { catalogs, schemes, removed } = desk()
    catalogs[1]!.acquire()
    next(catalogs[0]!, state(4, [2], [3]))
    expect(removed).toEqual([])
    schemes[0]!.reap(2)
    expect(catalogs[0]!.sweep()).toBe(1)
    expect(removed).toEqual(['000001.manifest'])
  })

  test('a file that cannot be removed is an error, and the others go', () => {
    const made = desk()
    const [a] = made.catalogs as [Catalog]
    made.failing = '000001.manifest'
    const base = a.acquire()
    a.create(base, state(4, [5], [6]))
    expect(() => a.release(base)).toThrow('000001.manifest cannot be removed')
    expect(made.removed).toEqual(['000002.log', '000003.table'])
    expect(a.sweep()).toBe(0)
  })

  test('limits: slots, holds, the size of a state; nothing has changed then', () => {
    const { catalogs } = desk(3, 2)
    const [a, b, c] = catalogs as [Catalog, Catalog, Catalog]
    const held: [Catalog, Version][] = [[a, a.acquire()]]
    next(c, state(10, [], [3]))
    held.push([b, b.acquire()])
    next(c, state(11, [], [3]))
    const base = c.acquire()
    expect(() => c.create(base, state(12, [], [3]))).toThrow(/all 3 versions are being read/)
    held.push([a, a.acquire()])
    expect(a.currentNumber()).toBe(3)
    for (const [catalog, version] of held) catalog.release(version)
    expect(c.create(base, state(12, [], [3]))).toBe(true)
    c.release(base)
    const many = Array.from({ length: 60 }, (_, i) => i + 20)
    expect(() => next(c, state(13, [], many))).toThrow(/cannot list 61 files/)
    expect(c.currentNumber()).toBe(4)
  })

  test('a thread that reads too many versions is told', () => {
    const { catalogs } = desk(8, 2)
    const [a, b] = catalogs as [Catalog, Catalog]
    a.acquire()
    next(b, state(10, [], [3]))
    a.acquire()
    next(b, state(11, [], [3]))
    expect(() => a.acquire()).toThrow(/reads 2 different versions/)
  })

  test('misuse is noticed', () => {
    const { catalogs } = desk()
    const [a] = catalogs as [Catalog]
    const version = a.acquire()
    a.release(version)
    expect(() => a.release(version)).toThrow(/more often than acquired/)
    expect(() => a.create(version, state(9, []))).toThrow(/not held/)
    expect(() => a.createFirst(state(9, []))).toThrow(/a version already/)
  })
})
