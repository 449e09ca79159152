import { describe, expect, it, vi } from 'vitest'
import { ROOM_ORDINARY, STREAM_PAGES } from '../../../src/log/log.ts'
import { BASE_ID } from '../../../src/pagecache/base.ts'
import { ROOT } from '../../../src/pagecache/page-table.ts'
import { EpochScheme } from '../../../src/reclaim/epoch.ts'
import { Engine } from '../../../src/store/engine.ts'
import { faults, firstEngine, get, put, remove, setKey } from './engines.ts'

interface Found {
  readonly record: number
  readonly since: number
}

/** Finds a key as `update` does, and notes its place. */
function find(engine: Engine, key: string): Found {
  const { tree, scheme } = engine
  setKey(engine, key)
  const since = scheme.epoch()
  scheme.enter()
  const record = tree.find()
  if (record !== 0) tree.remember(since)
  scheme.leave()
  return { record, since }
}

/** Replaces what was found, as `update` does. */
function replace(engine: Engine, key: string, value: string, { record, since }: Found): boolean {
  const { tree, arena } = engine
  const bytes = new TextEncoder().encode(value)
  setKey(engine, key)
  const at = tree.writer.begin(tree.key, bytes.length)
  arena.bytes.set(bytes, at)
  tree.writer.finish(tree.key.length, bytes.length, false)
  try {
    return tree.put(record, since)
  } finally {
    tree.writer.abandon()
  }
}

const keys = Array.from({ length: 40 }, (_, i) => `key ${String(i).padStart(2, '0')}`)

function filled(tuning = {}): Engine {
  const engine = firstEngine({ leafEntries: 8, leafSlots: 4, ...tuning })
  for (const key of keys) put(engine, key, `value of ${key}`)
  return engine
}

describe('the place where a key was found', () => {
  it('spares the change that expects what was found there the descent', () => {
    const engine = filled()
    const found = find(engine, 'key 07')
    const descend = vi.spyOn(engine.tree.search, 'descend')
    expect(replace(engine, 'key 07', 'new', found)).toBe(true)
    expect(descend).not.toHaveBeenCalled()
    expect(get(engine, 'key 07')).toBe('new')
    const removed = find(engine, 'key 08')
    descend.mockClear()
    setKey(engine, 'key 08')
    expect(engine.tree.remove(removed.record, removed.since)).toBe(true)
    expect(descend).not.toHaveBeenCalled()
    expect(get(engine, 'key 08')).toBeUndefined()
    expect(faults(engine)).toEqual([])
  })

  it('is not taken for another key', () => {
    const engine = filled()
    const found = find(engine, 'key 07')
    find(engine, 'key 30')
    expect(replace(engine, 'key 07', 'new', found)).toBe(true)
    expect(get(engine, 'key 07')).toBe('new')
    expect(get(engine, 'key 30')).toBe('value of key 30')
  })

  it('is left when its page was replaced meanwhile', () => {
    const engine = filled()
    const found = find(engine, 'key 07')
    for (let i = 0; i < 8; i++) put(engine, `key 07 ${i}`, 'between')
    const { search } = engine.tree
    const descend = vi.spyOn(search, 'descend')
    expect(replace(engine, 'key 07', 'new', found)).toBe(true)
    expect(descend).toHaveBeenCalled()
    expect(get(engine, 'key 07')).toBe('new')
    expect(faults(engine)).toEqual([])
  })

  it('does not make a change of what has been changed meanwhile', () => {
    const engine = filled()
    const other = new Engine(engine.arena, 2)
    const found = find(engine, 'key 07')
    put(other, 'key 07', 'theirs')
    expect(replace(engine, 'key 07', 'ours', found)).toBe(false)
    const gone = find(engine, 'key 09')
    remove(other, 'key 09')
    setKey(engine, 'key 09')
    expect(engine.tree.remove(gone.record, gone.since)).toBe(false)
    expect(get(engine, 'key 07')).toBe('theirs')
  })

  it('is not looked at once two epochs have passed, when its memory may be in other use', () => {
    const engine = filled()
    const found = find(engine, 'key 07')
    while (engine.scheme.epoch() - found.since < 2) engine.drain()
    const { search } = engine.tree
    const descend = vi.spyOn(search, 'descend')
    const tried = vi.spyOn(search, 'locateAt')
    // Nor is what was found there taken for what is there now, though it is.
    expect(replace(engine, 'key 07', 'new', found)).toBe(false)
    expect(descend).toHaveBeenCalled()
    expect(tried).not.toHaveBeenCalled()
    expect(faults(engine)).toEqual([])
  })

  it('is not looked at when its base comes into other use while the epoch is asked for', () => {
    const engine = firstEngine({ leafEntries: 8, leafSlots: 4, segmentWords: 4096, pageIds: 64 })
    const other = new Engine(engine.arena, 2)
    const { table } = other.tree.context
    const { arena, scheme } = engine
    const consolidate = (): void => {
      other.log.prepare(STREAM_PAGES, 300, ROOM_ORDINARY)
      other.scheme.enter()
      other.tree.consolidate(ROOT, table.load(ROOT))
      other.scheme.leave()
    }
    put(other, 'aaaa', '1')
    put(other, 'mmmm', '1')
    // A base at the beginning of a segment, which is one again when the segment has gone round.
    for (let i = 0; i < 600 || table.load(ROOT) % 4096 !== 0; i++) consolidate()
    const base = table.load(ROOT)
    other.scheme.flush()
    const found = find(engine, 'aaaa')
    // Its segment is retired before another epoch has begun, and the next one begins before the change.
    const advance = vi.spyOn(EpochScheme.prototype, 'tryAdvance').mockReturnValue(false)
    while (table.load(ROOT) >>> 12 === base >>> 12) consolidate()
    advance.mockRestore()
    expect(scheme.epoch()).toBe(found.since)
    other.scheme.tryAdvance()
    const ask = scheme.epoch.bind(scheme)
    let isSameAgain = false
    const epoch = vi.spyOn(scheme, 'epoch').mockImplementation(() => {
      const answer = ask()
      epoch.mockRestore()
      expect(scheme.pinned()).toBe(true)
      other.scheme.tryAdvance()
      other.scheme.collect(1e9)
      for (const key of ['bbbb', 'cccc', 'dddd', 'eeee']) put(other, key, '2')
      for (let i = 0; i < 20_000 && table.load(ROOT) !== base; i++) consolidate()
      isSameAgain = table.load(ROOT) === base
      return answer
    })
    const tried = vi.spyOn(engine.tree.search, 'locateAt')
    expect(replace(engine, 'aaaa', 'new', found)).toBe(false)
    expect(isSameAgain).toBe(true)
    expect(tried).not.toHaveBeenCalled()
    expect(arena.words[base + BASE_ID]).toBe(ROOT)
    expect(faults(engine)).toEqual([])
  })
})
