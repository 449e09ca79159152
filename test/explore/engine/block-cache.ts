/** The block cache: lookups against fills and evictions; whatever is found is the block that was asked for. */
import { fail } from '../../../src/explore/failure.ts'
import { BlockCache, divideCache } from '../../../src/lsm/block-cache.ts'
import type { Geometry } from '../../../src/memory/layout.ts'
import { type Member, join, listArena, slotFaults } from './people.ts'
import { type Play, bothOf, scenarioOf, type Rehearsable } from './play.ts'

interface Filler extends Member {
  readonly cache: BlockCache
}

interface Shape {
  readonly sets?: number
  readonly ways?: number
  readonly spare?: number
  /** Blocks that are cached at the beginning. */
  readonly cached?: readonly number[]
  readonly over?: Partial<Geometry>
}

const FILE = 3

/** A block's number is its offset; its payload tells what it is. */
function payloadOf(block: number): Uint8Array {
  return Uint8Array.of(block, FILE, block ^ 0x55, 9)
}

function fillers(memory: SharedArrayBuffer, people: number, shape: Shape): Filler[] {
  const arena = listArena(memory, shape.over)
  const at = arena.layout.firstSegment << arena.layout.segmentShift
  const geometry = divideCache(at, shape.sets ?? 1, shape.ways ?? 1, shape.spare ?? 1, 5)
  const cast = Array.from({ length: people }, (_, i) => {
    const member = join(arena, i + 1)
    return { ...member, cache: new BlockCache(arena, member.scheme, member.me, geometry) }
  })
  for (const block of shape.cached ?? []) cast.at(-1)!.cache.fill(FILE, block, payloadOf(block))
  return cast
}

/** Looks a block up and reads all of it. @returns whether it was cached */
function read({ cache, scheme }: Filler, block: number): boolean {
  scheme.enter()
  const frame = cache.lookup(FILE, block)
  if (frame !== 0) {
    const at = cache.payloadAt(frame)
    const right = payloadOf(block)
    if (cache.lengthOf(frame) !== 4) fail('use-after-free', `block ${block} has another length`)
    for (let i = 0; i < 4; i++) {
      if (cache.bytes[at + i] !== right[i]) fail('use-after-free', `block ${block} has foreign bytes`)
    }
  }
  scheme.leave()
  return frame !== 0
}

function fill({ cache }: Filler, block: number): boolean {
  return cache.fill(FILE, block, payloadOf(block))
}

/** Fills one block after the other, the epoch going on in between if nobody is pinned. */
function fillAll(one: Filler, ...blocks: number[]): void {
  for (const block of blocks) {
    fill(one, block)
    one.scheme.tryAdvance()
    one.scheme.tryAdvance()
  }
}

function faults(survivor: Filler, killed: number, blocks: number): string[] {
  const { cache, scheme } = survivor
  if (killed >= 0) scheme.reap(killed + 1)
  scheme.flush()
  const { problems, held } = cache.verify()
  const found = [...problems, ...slotFaults(survivor)]
  // Each of those who live may keep one for the next fill.
  if (held > 3) found.push(`${held} frames are held`)
  for (let block = 1; block <= blocks; block++) read(survivor, block)
  return found
}

function play(
  name: string,
  shape: Shape,
  threads: readonly ((one: Filler) => unknown)[],
  more: Partial<Play<Filler>> = {},
): Play<Filler> {
  return {
    name: `block cache: ${name}`,
    cast: (memory) => fillers(memory, threads.length + 1, shape),
    threads,
    check: (survivors, { killed }) => faults(survivors.at(-1)!, killed, 4),
    ...more,
  }
}

const plays: Play<Filler>[] = [
  play('a lookup against evictions that reuse its frame', { cached: [1] }, [
    (one) => [read(one, 1), read(one, 1)],
    (one) => fillAll(one, 2, 3),
  ]),
  play('two fill the same block', { ways: 2, spare: 2 }, [(one) => fill(one, 1), (one) => fill(one, 1)]),
  play('a block is cached again while it is evicted', { cached: [1], spare: 3 }, [
    (one) => fill(one, 1),
    (one) => fillAll(one, 2, 3),
  ]),
  play('two fill one slot with different blocks', { spare: 2, cached: [1] }, [
    (one) => fill(one, 2),
    (one) => fill(one, 3),
  ]),
  play('a fill against a fill and a lookup', { spare: 2, cached: [1] }, [
    (one) => fill(one, 2),
    (one) => fillAll(one, 3),
    (one) => [read(one, 1), read(one, 2)],
  ]),
  play('two fillers short of frames', { ways: 2, spare: 1, cached: [1, 2] }, [
    (one) => fillAll(one, 3, 4),
    (one) => fillAll(one, 4),
  ]),
  play('a reaper beside a filler', { spare: 3, cached: [1] }, [(one) => fill(one, 2), (one) => fillAll(one, 3)], {
    reap: (onlooker, threadId) => onlooker.scheme.reap(threadId),
  }),
]

/** What frees frames under the feet of readers. */
const wrong: Play<Filler> = play(
  'frames filled again at once',
  { cached: [1], over: { scheme: 'unsafe' } },
  [(one) => read(one, 1), (one) => fillAll(one, 2, 3)],
  { finds: 'data-race' },
)

export const scenarios: Rehearsable[] = [...bothOf(plays), scenarioOf(wrong, false)]
