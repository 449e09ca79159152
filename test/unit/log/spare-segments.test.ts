import { describe, expect, it } from 'vitest'
import { append, appender, logArena } from './logs.ts'

describe('spare segments', () => {
  it('are short while nothing has been given back, and not once enough has', () => {
    const arena = logArena()
    const one = appender(arena)
    const { segments } = one.log
    expect(segments.isShort()).toBe(true)
    const blocks: number[] = []
    for (let i = 0; i < 5; i++) {
      blocks.push(append(one, arena, 20))
      one.log.sealAll()
    }
    expect(segments.isShort()).toBe(true)
    for (const block of blocks.slice(0, 3)) one.log.unlink(block)
    expect(segments.isShort()).toBe(true)
    // Those that only wait for their epoch count as well: they will be there.
    one.log.unlink(blocks[3]!)
    expect(segments.isShort()).toBe(false)
    one.scheme.flush()
    expect(segments.isShort()).toBe(false)
  })

  it('are short again as soon as one is taken', () => {
    const arena = logArena()
    const one = appender(arena)
    const blocks = Array.from({ length: 4 }, () => {
      const block = append(one, arena, 20)
      one.log.sealAll()
      return block
    })
    for (const block of blocks) one.log.unlink(block)
    one.scheme.flush()
    expect(one.log.segments.isShort()).toBe(false)
    append(one, arena, 20)
    expect(one.log.segments.isShort()).toBe(true)
  })

  it('must be more when no fresh ones are left: the reserve is not for writers', () => {
    const arena = logArena()
    const one = appender(arena)
    const { segments } = one.log
    const blocks: number[] = []
    while (segments.countFree(segments.reserve + 1) > segments.reserve) {
      blocks.push(append(one, arena, 20))
      one.log.sealAll()
    }
    // Cleaning may take from the reserve.
    segments.open(true)
    segments.open(true)
    for (const block of blocks.slice(0, 5)) one.log.unlink(block)
    one.scheme.flush()
    expect(segments.isShort()).toBe(true)
    one.log.unlink(blocks[5]!)
    expect(segments.isShort()).toBe(false)
  })
})
