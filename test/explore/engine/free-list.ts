/** The free list under epochs: takers against takers and givers, and what becomes of it without a pin. */
import type { Geometry } from '../../../src/memory/layout.ts'
import { INTENT_POP_PAGE } from '../../../src/reclaim/participant.ts'
import { type Person, giveBack, listArena, listFaults, person, runGarbage, take } from './people.ts'
import { type Play, bothOf, scenarioOf, type Rehearsable } from './play.ts'

/** What a thread has in its hands in the end. */
type Hands = readonly number[]

interface Stock {
  /** Things in the first one's hands. */
  readonly held?: Hands
  /** Things on the list, the top first. */
  readonly listed?: Hands
  /** Things whose epoch has passed, but nobody has put them on the list. */
  readonly passed?: Hands
  readonly over?: Partial<Geometry>
}

function stocked(memory: SharedArrayBuffer, people: number, stock: Stock): Person[] {
  const arena = listArena(memory, stock.over)
  const cast = Array.from({ length: people }, (_, i) => person(arena, i + 1))
  const first = cast[0]!
  const { held = [], listed = [], passed = [] } = stock
  for (let i = held.length + listed.length + passed.length; i > 0; i--) take(first)
  for (const thing of [...listed].reverse()) giveBack(first, thing)
  first.scheme.flush()
  for (const thing of passed) giveBack(first, thing)
  first.scheme.tryAdvance()
  first.scheme.tryAdvance()
  return cast
}

type Part = (one: Person) => Hands

function play(name: string, stock: Stock, threads: readonly Part[], more: Partial<Play<Person>> = {}): Play<Person> {
  return {
    name: `free list: ${name}`,
    cast: (memory) => stocked(memory, threads.length, stock),
    threads,
    check: ([survivor], { results, killed }) => listFaults(survivor!, killed, handsOf(results)),
    ...more,
  }
}

function handsOf(results: readonly unknown[]): number[] {
  const inUse: number[] = []
  for (const hands of results) if (hands !== undefined) inUse.push(...(hands as Hands))
  return inUse
}

function taken(...things: number[]): Hands {
  return things.filter((thing) => thing !== 0)
}

const takeOne: Part = (one) => taken(take(one))

function push(thing: number): Part {
  return (one) => {
    one.free.push(thing, one.free.retiredEpoch(thing))
    return []
  }
}

/** Takes two and gives the first one back, to be free again if it may: then it is on top of what the second was. */
function takeTwoAndGiveBackOne(one: Person): Hands {
  const first = take(one)
  const second = take(one)
  giveBack(one, first)
  runGarbage(one)
  return taken(second)
}

/** What must not be done: a thing that was seen on the list may leave it and come back. */
function takeUnpinned({ me, free }: Person): Hands {
  return taken(free.pop(me.at + INTENT_POP_PAGE))
}

const plays: Play<Person>[] = [
  play('two take, two are there', { listed: [1, 2] }, [takeOne, takeOne]),
  play('two take, one is there', { listed: [1] }, [takeOne, takeOne]),
  play('two take the first ones ever', {}, [takeOne, takeOne]),
  play('three take, two are there', { listed: [1, 2] }, [takeOne, takeOne, takeOne]),
  play('one takes, one pushes', { listed: [1], passed: [2] }, [takeOne, push(2)]),
  play('one takes from an empty list, one pushes', { passed: [1] }, [takeOne, push(1)]),
  play('two push two things', { passed: [1, 2] }, [push(1), push(2)]),
  play('two push the same thing', { passed: [1] }, [push(1), push(1)]),
  play('two push the same thing, one takes', { passed: [1] }, [push(1), push(1), takeOne]),
  play('one takes, one takes two and gives one back', { listed: [1, 2, 3] }, [takeOne, takeTwoAndGiveBackOne]),
  play('one gives back and frees, one looks for what was missed', { held: [1], passed: [2] }, [
    (one) => {
      giveBack(one, 1)
      runGarbage(one)
      return []
    },
    ({ free }) => {
      free.collectStale((thing, epoch) => void free.push(thing, epoch))
      return []
    },
  ]),
]

const controls: Rehearsable[] = [
  scenarioOf(
    play('one takes without a pin', { listed: [1, 2, 3] }, [takeUnpinned, takeTwoAndGiveBackOne], {
      finds: 'leak',
      faultKind: 'leak',
    }),
    false,
  ),
  scenarioOf(
    play(
      'things are free at once',
      { listed: [1, 2, 3], over: { scheme: 'unsafe' } },
      [takeOne, takeTwoAndGiveBackOne],
      {
        finds: 'leak',
        faultKind: 'leak',
      },
    ),
    false,
  ),
  scenarioOf(
    play('things are never free', { held: [1], over: { scheme: 'none' } }, [takeTwoAndGiveBackOne], {
      finds: 'leak',
      faultKind: 'leak',
    }),
    false,
  ),
]

export const scenarios: Rehearsable[] = [...bothOf(plays), ...controls]
