import { describe, expect, it } from 'vitest'
import { Engine } from '../../../src/store/engine.ts'
import { inlineValueBytes, recordHeader, recordKeyAt } from '../../../src/tree/record.ts'
import { keyBytesOf } from '../../../src/log/block.ts'
import type { Mark } from '../../../src/tree/snapshots.ts'
import { dieAt, everyStep, hookAtomics, interruptAt } from '../memory/atomics-hook.ts'
import { mergeUnderWay } from './half-done.ts'
import { firstEngine, get, put, remove, setKey, snapshot } from './engines.ts'

const DEAD = 9

/** What a key had for a snapshot; 'ended' if that was ended. */
function getAt(engine: Engine, mark: Mark, key: string): string | undefined {
  const { tree, scheme, snapshots, arena } = engine
  setKey(engine, key)
  scheme.enter()
  try {
    const record = tree.findAt(mark.ts)
    const header = record === 0 ? 0 : recordHeader(arena.words, record)
    const at = recordKeyAt(record) + keyBytesOf(header)
    const value =
      record === 0 ? undefined : String.fromCharCode(...arena.bytes.slice(at, at + inlineValueBytes(header)))
    return snapshots.isLive(mark) ? value : 'ended'
  } finally {
    scheme.leave()
  }
}

/** Fails where `body` would go on for ever. */
function bounded(most: number, what: string, body: () => void): void {
  hookAtomics((call) => {
    if (call > most) throw new Error(`it goes on for ever ${what}`)
  }, body)
}

describe('a merge half done of a leaf with a deleted key that was kept', () => {
  it('does not keep a drain from its end', () => {
    const first = firstEngine({ leafEntries: 4, leafSlots: 2 })
    // Of four keys in a leaf the snapshot needs one; the others leave nothing behind.
    const keys = Array.from({ length: 24 }, (_, i) => String.fromCharCode(97 + i))
    for (let i = 0; i < keys.length; i += 4) put(first, keys[i]!, 'old')
    const mark = first.snapshots.take(0)
    for (const key of keys) put(first, key, 'new')
    const { arena } = first
    const back = snapshot(arena)
    const left = new Set<string>()
    everyStep((step) => {
      back()
      const other = new Engine(arena, 2)
      const dying = new Engine(arena, DEAD)
      const life = (): void => {
        for (const key of keys) remove(dying, key)
      }
      if (!dieAt(step, life)) return false
      const merge = mergeUnderWay(other)
      if (merge !== undefined) left.add(merge.step)
      first.snapshots.close(mark)
      bounded(300_000, `after ${step} steps, ${JSON.stringify(merge)}`, () => other.drain())
      return true
    })
    expect([...left].sort()).toEqual(['a', 'b', 'c', 'd'])
  })
})

/** Its walks over the leaves. */
const tidyOf = (engine: Engine) =>
  (engine.snapshots as unknown as { tidy: { walking: boolean; sweep(): boolean } }).tidy

describe('a sweep that is held up while the clock goes on', () => {
  it.each([10, 14, 18, 22, 26, 30])('harms no snapshot, %i turns later', (turns) => {
    const first = firstEngine({ leafEntries: 4, leafSlots: 2, clockBits: 5 })
    const turn = (engine: Engine) => engine.snapshots.close(engine.snapshots.take(0))
    for (const key of 'abc') put(first, key, 'old')
    for (let i = 0; i < 12; i++) turn(first)
    const { arena } = first
    const back = snapshot(arena)
    const wrong: string[] = []
    everyStep((step) => {
      back()
      const slow = new Engine(arena, 3)
      const other = new Engine(arena, 2)
      let mark: Mark | undefined
      const reached = interruptAt(
        step,
        () => tidyOf(slow).sweep(),
        () => {
          for (let i = 0; i < turns; i++) turn(other)
          for (const key of 'ab') put(other, key, 'seen')
          mark = other.snapshots.take(0)
          for (const key of 'ac') put(other, key, 'later')
          remove(other, 'b')
        },
      )
      if (!reached) return false
      const seen = ['a', 'b', 'c'].map((key) => getAt(other, mark!, key)).join()
      if (seen !== 'seen,seen,old' && seen !== 'ended,ended,ended') wrong.push(`step ${step}: ${seen}`)
      other.snapshots.close(mark!)
      const now = ['a', 'b', 'c'].map((key) => get(other, key)).join()
      if (now !== 'later,,later') wrong.push(`step ${step}: now ${now}`)
      return true
    })
    expect(wrong).toEqual([])
  })
})

describe('a sweep that dies', () => {
  it('leaves nothing that a verification objects to, also where a mover had died', () => {
    const first = firstEngine({ leafEntries: 4, leafSlots: 2, clockBits: 5 })
    put(first, 'a', 'old')
    const mark = first.snapshots.take(0)
    put(first, 'a', 'new')
    const { tree, scheme, snapshots } = first
    setKey(first, 'a')
    scheme.enter()
    tree.context.versions.hold(tree.find())
    scheme.leave()
    snapshots.close(mark)
    for (let i = 0; i < 12; i++) snapshots.close(snapshots.take(0))
    const back = snapshot(first.arena)
    const steps = everyStep((step) => {
      back()
      const dying = new Engine(first.arena, DEAD)
      const other = new Engine(first.arena, 2)
      if (!dieAt(step, () => void tidyOf(dying).sweep())) return false
      expect(other.verify().problems).toEqual([])
      return true
    })
    expect(steps).toBeGreaterThan(50)
  })
})

describe('a walk that looks for room', () => {
  it('takes no snapshot for looked after that ended while it was under way', () => {
    const engine = firstEngine()
    put(engine, 'a', 'old')
    const mark = engine.snapshots.take(0)
    put(engine, 'a', 'new')
    engine.snapshots.close(mark)
    // The walk is past the key by now.
    tidyOf(engine).walking = true
    expect(engine.snapshots.relieve()).toBe(false)
    tidyOf(engine).walking = false
    expect(engine.snapshots.keptWords()).toBeGreaterThan(0)
    expect(engine.snapshots.relieve()).toBe(true)
    expect(engine.snapshots.keptWords()).toBe(0)
  })
})
