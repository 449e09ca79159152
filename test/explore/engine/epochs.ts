/** Pins against retiring, advancing and freeing: what a reader holds stays, what nobody holds goes, and goes once. */
import type { Run } from '../../../src/explore/index.ts'
import { allocated, freed } from '../../../src/explore/index.ts'
import { fail } from '../../../src/explore/failure.ts'
import type { Geometry } from '../../../src/memory/layout.ts'
import { ENTRIES_PER_CHUNK } from '../../../src/reclaim/garbage.ts'
import { OP_USER } from '../../../src/reclaim/scheme.ts'
import { type Person, listArena, person, runGarbage, slotFaults } from './people.ts'
import { type Play, bothOf, scenarioOf, type Rehearsable } from './play.ts'

const BLOCK_WORDS = 4
const ALIVE = 42
/** How often an argument was freed is counted from this word of a person's spare words on. */
const TALLY = 32

/** A person with a shared word that leads to a block, or to nothing. */
interface Reader extends Person {
  readonly pointer: number
}

/** The first segment is nobody's here: the pointer is its first word, blocks follow. */
function blockAt({ pointer }: Reader, number: number): number {
  return pointer + BLOCK_WORDS * number
}

function tallyOf({ pointer }: Reader, argument: number): number {
  return pointer + TALLY + argument
}

function readers(memory: SharedArrayBuffer, people: number, over: Partial<Geometry> = {}): Reader[] {
  const arena = listArena(memory, over)
  const pointer = arena.layout.firstSegment << arena.layout.segmentShift
  return Array.from({ length: people }, (_, i) => {
    const one = { ...person(arena, i + 1), pointer }
    one.scheme.register(OP_USER, (argument) => free(one, argument))
    return one
  })
}

/** Handlers may run again when their runner has died in between, but not for what another one has freed. */
function free(one: Reader, argument: number): void {
  const { words } = one.arena
  if (Atomics.compareExchange(words, tallyOf(one, argument), 0, 1) !== 0) return
  const block = blockAt(one, argument)
  freed(words, block, BLOCK_WORDS)
}

/** Shows block `number`, alive. */
function show(one: Reader, number: number): void {
  const { words } = one.arena
  const block = blockAt(one, number)
  allocated(words, block, BLOCK_WORDS)
  words.fill(ALIVE, block, block + BLOCK_WORDS)
  Atomics.store(words, one.pointer, block)
}

function retire({ scheme }: Reader, argument: number): void {
  scheme.retire(OP_USER, argument, scheme.epoch())
}

/** Takes the block out of the pointer's reach and retires it. */
function unlinkAndRetire(one: Reader): void {
  const { words } = one.arena
  const block = Atomics.exchange(words, one.pointer, 0)
  if (block !== 0) retire(one, (block - one.pointer) / BLOCK_WORDS)
}

function look(one: Reader): void {
  const { words } = one.arena
  const block = Atomics.load(words, one.pointer)
  if (block === 0) return
  const number = (block - one.pointer) / BLOCK_WORDS
  // Freed means that somebody may write there at any moment; the tally says so although nobody does.
  if (words[block + 1] !== ALIVE || Atomics.load(words, tallyOf(one, number)) !== 0)
    fail('use-after-free', `block ${number} was freed under a reader's feet`)
}

function read(one: Reader): void {
  one.scheme.enter()
  look(one)
  one.scheme.leave()
}

function readTwice(one: Reader): void {
  one.scheme.enter()
  look(one)
  one.scheme.repin()
  look(one)
  one.scheme.leave()
}

function unlinkRetireAndFree(one: Reader): void {
  unlinkAndRetire(one)
  runGarbage(one)
}

function settled([survivor]: readonly Reader[], { killed }: Run, arguments_: readonly number[]): string[] {
  const { scheme, arena } = survivor!
  if (killed >= 0) scheme.reap(killed + 1)
  scheme.flush()
  const found = slotFaults(survivor!)
  if (scheme.waiting() !== 0) found.push(`${scheme.waiting()} actions wait`)
  for (const argument of arguments_) {
    if (arena.words[tallyOf(survivor!, argument)] !== 1) found.push(`block ${argument} was not freed`)
  }
  return found
}

/** One block, shown; whoever dies between unlinking and retiring it loses it, as nothing else names it. */
function play(
  name: string,
  threads: readonly ((one: Reader) => void)[],
  over: Partial<Geometry> = {},
  more: Partial<Play<Reader>> = {},
): Play<Reader> {
  return {
    name: `epochs: ${name}`,
    cast(memory) {
      const cast = readers(memory, threads.length, over)
      show(cast[0]!, 1)
      return cast
    },
    threads,
    check: (survivors, outcome) => settled(survivors, outcome, outcome.killed < 0 ? [1] : []),
    ...more,
  }
}

const OP_TICK = OP_USER + 1

/** People whose first one has retired this many ticks, which have passed, and all but the last of which were run. */
function tickers(memory: SharedArrayBuffer, people: number, retired: number): Reader[] {
  const cast = readers(memory, people)
  for (const one of cast) {
    one.scheme.register(OP_TICK, (argument) => void Atomics.add(one.arena.words, tallyOf(one, argument), 1))
  }
  const { scheme } = cast[0]!
  for (let i = 0; i < retired; i++) scheme.retire(OP_TICK, i, scheme.epoch())
  scheme.tryAdvance()
  scheme.tryAdvance()
  scheme.collect(retired - 1)
  return cast
}

/** Each tick once; those that the dead one was at may come twice. */
function ticked(survivors: readonly Reader[], { killed }: Run, ticks: number): string[] {
  const found = settled(survivors, { results: [], history: [], killed }, [])
  const [survivor] = survivors
  for (let i = 0; i < ticks; i++) {
    const times = survivor!.arena.words[tallyOf(survivor!, i)]!
    if (times !== 1 && (killed < 0 || times > 2)) found.push(`tick ${i} came ${times} times`)
  }
  return found
}

/** Retires a tick that needs to wait for nobody. */
function tick({ scheme }: Reader, argument: number): void {
  scheme.retire(OP_TICK, argument, 0)
}

const collect = ({ scheme }: Reader): void => void scheme.collect(9)

const listPlays: Play<Reader>[] = [
  {
    name: 'garbage: two run the same list',
    cast: (memory) => tickers(memory, 2, 2),
    threads: [collect, collect],
    check: (survivors, outcome) => ticked(survivors, outcome, 2),
    does: { freed: 1 },
  },
  {
    name: 'garbage: a list goes on in another chunk while it is run',
    cast: (memory) => tickers(memory, 2, ENTRIES_PER_CHUNK - 1),
    threads: [
      (one) => {
        tick(one, ENTRIES_PER_CHUNK - 1)
        tick(one, ENTRIES_PER_CHUNK)
      },
      collect,
    ],
    check: (survivors, outcome) => ticked(survivors, outcome, ENTRIES_PER_CHUNK - 1 + (outcome.killed < 0 ? 2 : 0)),
    does: { freed: 1, retired: 2 },
  },
]

const plays: Play<Reader>[] = [
  play('one reads, one unlinks and frees', [read, unlinkRetireAndFree]),
  play('one reads and pins anew, one unlinks and frees', [readTwice, unlinkRetireAndFree]),
  play('one reads, one unlinks, one frees', [read, unlinkAndRetire, (one) => void runGarbage(one)]),
  play('two unlink and free the same', [unlinkRetireAndFree, unlinkRetireAndFree]),
]

const controls: Rehearsable[] = [
  play('one reads what is freed at once', [read, unlinkAndRetire], { scheme: 'unsafe' }, { finds: 'use-after-free' }),
  play('what is never freed', [read, unlinkAndRetire], { scheme: 'none' }, { finds: 'leak', faultKind: 'leak' }),
].map((control) => scenarioOf(control, false))

export const scenarios: Rehearsable[] = [...bothOf([...plays, ...listPlays]), ...controls]
