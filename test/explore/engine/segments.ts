/** The log without a tree: segments are filled, sealed, taken and freed, while others mark their blocks dead, or die. */
import type { Run } from '../../../src/explore/index.ts'
import { KIND_RECORD, blockHeader } from '../../../src/log/block.ts'
import { Cleaner } from '../../../src/log/cleaner.ts'
import { Log, ROOM_ORDINARY, STREAM_RECORDS } from '../../../src/log/log.ts'
import { type Member, bury, join, listArena, runGarbage, slotFaults } from './people.ts'
import { type Play, bothOf, type Rehearsable } from './play.ts'

const DEAD = 9

interface Appender extends Member {
  readonly log: Log
  /** Blocks that were linked before the play, in the order in which they were written. */
  readonly blocks: number[]
}

/** What was there before. The sizes are words of blocks in the open segment of the first one, or of one who died. */
interface Past {
  readonly sizes: readonly number[]
  readonly sealed?: boolean
  /** Blocks that are dead already. */
  readonly dead?: readonly number[]
  readonly died?: boolean
  /** More who look on. */
  readonly more?: number
}

type Part = (one: Appender) => number | boolean | undefined

function appenders(memory: SharedArrayBuffer, people: number, past: Past): Appender[] {
  const arena = listArena(memory)
  const blocks: number[] = []
  const appender = (threadId: number): Appender => {
    const member = join(arena, threadId)
    return { ...member, log: new Log(arena, member.scheme, member.me), blocks }
  }
  const cast = Array.from({ length: people + (past.more ?? 0) }, (_, i) => appender(i + 1))
  const author = past.died === true ? appender(DEAD) : cast[0]!
  for (const size of past.sizes) blocks.push(append(author, size))
  if (past.sealed === true) author.log.sealAll()
  for (const number of past.dead ?? []) unlink(author, blocks[number]!)
  return cast
}

/** Writes a block full of its own address. */
function append({ arena: { words }, log }: Appender, size: number): number {
  log.prepare(STREAM_RECORDS, size, ROOM_ORDINARY)
  const block = log.reserve(STREAM_RECORDS, size)
  for (let i = 1; i < size; i++) words[block + i] = block
  log.complete(block, blockHeader(KIND_RECORD, size, 0, 0, false))
  return block
}

function unlink({ scheme, log }: Appender, block: number): boolean {
  scheme.enter()
  const done = log.unlink(block)
  scheme.leave()
  return done
}

const appending =
  (size: number): Part =>
  (one) =>
    append(one, size)

const unlinking =
  (number: number): Part =>
  (one) =>
    unlink(one, one.blocks[number]!)

const freeing: Part = (one) => {
  runGarbage(one)
  return undefined
}

const burying: Part = (one) => {
  bury(one, DEAD)
  return undefined
}

const sealing: Part = ({ log }) => {
  log.sealAll()
  return undefined
}

/** Empties the first segment, which is free again afterwards if nobody is pinned, and seals one with a live block. */
const recyclingAndSealing: Part = (one) => {
  const { arena, scheme, me, log, blocks } = one
  new Cleaner(arena, scheme, me, log, () => -1).clean(log.segments.segmentOf(blocks[0]!), false)
  scheme.flush()
  const block = append(one, 10)
  log.sealAll()
  return block
}

/** Leaves one block of 5 words. */
const appendingAndAborting: Part = (one) => {
  const { log } = one
  const newest = append(one, 20)
  log.abort(STREAM_RECORDS, newest, 20)
  const older = append(one, 10)
  const block = append(one, 5)
  log.abort(STREAM_RECORDS, older, 10)
  log.abort(STREAM_RECORDS, append(one, 8), 8)
  return block
}

/**
 * What is wrong with the segments once all that waits has been run.
 * @param live blocks that somebody needs
 */
function segmentFaults(survivor: Appender, killed: number, live: readonly number[]): string[] {
  const { arena, scheme, me, log } = survivor
  const { segments } = log
  const dead = killed >= 0 ? scheme.reap(killed + 1) > 0 : false
  // What was not linked, or not accounted for, when its writer died is found by walking.
  if (dead) new Cleaner(arena, scheme, me, log, () => -1).sweep((block) => live.includes(block))
  segments.collectStale()
  scheme.flush()
  const found = slotFaults(survivor)
  if (scheme.waiting() !== 0) found.push(`${scheme.waiting()} actions wait`)
  for (let segment = segments.first; segment < segments.used(); segment++) {
    if (segments.isRetired(segment)) found.push(`segment ${segment} is retired for ever`)
    if (!segments.isSealed(segment)) continue
    const counted = segments.usedWords(segment) - segments.deadWords(segment)
    const walked = segments.walkLive(segment)
    if (walked === 0) found.push(`segment ${segment} is sealed, and empty`)
    if (walked !== counted && !dead) found.push(`segment ${segment} counts ${counted} live words, it has ${walked}`)
  }
  for (const block of live) if (!isWhole(survivor, block)) found.push(`the block at ${block} is gone`)
  return found
}

/** Whether a block is what `append` wrote, in a segment that is zero behind what was appended. */
function isWhole({ arena: { words }, log: { segments } }: Appender, block: number): boolean {
  const segment = segments.segmentOf(block)
  const end = segments.start(segment + 1)
  let at = segments.start(segment) + segments.walkUsed(segment)
  while (at < end && words[at] === 0) at++
  return words[block + 1] === block && at === end
}

function play(name: string, past: Past, threads: readonly Part[], more: Partial<Play<Appender>> = {}): Play<Appender> {
  return {
    name: `segments: ${name}`,
    cast: (memory) => appenders(memory, threads.length, past),
    threads,
    check(survivors, outcome) {
      const survivor = survivors.at(-1)!
      survivor.scheme.reap(DEAD)
      return [
        ...segmentFaults(survivor, outcome.killed, liveBlocks(survivor, past, outcome)),
        ...unlinkedTwice(past, outcome),
      ]
    },
    ...more,
  }
}

/** Threads return the block they appended. What one was unlinking when it died may or may not be dead. */
function liveBlocks({ arena: { words }, blocks }: Appender, { dead = [] }: Past, { results }: Run): number[] {
  const isDead = (block: number): boolean => words[block]! < 0
  const before = blocks.filter((block, number) => !dead.includes(number) && words[block] !== 0 && !isDead(block))
  return [...before, ...results.filter((result) => typeof result === 'number')]
}

/** There were as many that marked a block dead as there were blocks, or fewer. */
function unlinkedTwice({ sizes }: Past, { results }: Run): string[] {
  return results.filter((result) => result === true).length > sizes.length ? ['a block was marked dead twice'] : []
}

const plays: Play<Appender>[] = [
  play('one is sealed while its last block dies', { sizes: [100] }, [appending(200), unlinking(0)], {
    does: { segmentsOpened: 1, retired: 1 },
  }),
  play('one is sealed while one of two blocks dies', { sizes: [100, 50] }, [appending(200), unlinking(0)], {
    does: { segmentsOpened: 1 },
  }),
  play('the last two blocks of one die', { sizes: [100, 50], sealed: true }, [unlinking(0), unlinking(1)], {
    does: { retired: 1 },
  }),
  play('a block dies twice', { sizes: [100], sealed: true }, [unlinking(0), unlinking(0)], { does: { retired: 1 } }),
  // Found by a storm: the one that sealed retired by a state it had seen before the segment was recycled.
  play('one in which nothing lives is sealed while it is recycled', { sizes: [100], dead: [0] }, [
    sealing,
    recyclingAndSealing,
  ]),
  play('two are taken', { sizes: [] }, [appending(10), appending(10)], { does: { segmentsOpened: 2 } }),
  play('one is taken while another one is freed', { sizes: [256], sealed: true, dead: [0] }, [appending(10), freeing], {
    does: { segmentsOpened: 1, segmentsReleased: 1 },
  }),
  play('blocks are aborted', { sizes: [], more: 1 }, [appendingAndAborting]),
  play('a dead one is sealed while its last block dies', { sizes: [30], died: true }, [burying, unlinking(0)], {
    does: { reaped: 1, retired: 1 },
  }),
  play('a dead one is sealed by two', { sizes: [30], died: true }, [burying, burying], { does: { reaped: 1 } }),
]

export const scenarios: Rehearsable[] = bothOf(plays)
