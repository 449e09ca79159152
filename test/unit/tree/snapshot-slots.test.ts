import { describe, expect, it } from 'vitest'
import { firstEngine } from './engines.ts'

describe('the age of a snapshot', () => {
  it('is none for whoever looked at his clock before it was taken', () => {
    const engine = firstEngine()
    const mark = engine.snapshots.take(1001)
    expect(engine.tree.context.snapshots.oldestAge(1000)).toBe(0)
    expect(engine.tree.context.snapshots.expireOlder(1000, 500)).toBe(0)
    expect(engine.snapshots.isLive(mark)).toBe(true)
  })
})

describe('an attachment that is ended before it is live', () => {
  it('is made again while the other snapshot is live', () => {
    const engine = firstEngine()
    const mark = engine.snapshots.take(0)
    const { snapshots: table, clock } = engine.tree.context
    const { countAttach } = table
    let once = true
    table.countAttach = () => {
      countAttach.call(table)
      if (!once) return
      once = false
      // What a sweep does whose horizon is the mark's value.
      table.beginHorizon(mark.ts, clock.swept())
      expect(table.expireBeforeHorizon()).toBe(1)
      table.endHorizon()
    }
    const mine = engine.snapshots.attach(mark, 0)
    expect(engine.snapshots.isLive(mine)).toBe(true)
    expect(mine.ts).toBe(mark.ts)
  })
})
