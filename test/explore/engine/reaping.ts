/** The funeral of a dead participant: against its neighbours, other reapers, newcomers, and the death of the reaper. */
import { GarbageLists } from '../../../src/reclaim/garbage.ts'
import { INTENT_POP_PAGE, STATE, THREAD, claimSlot, nameOf, names, slotAt } from '../../../src/reclaim/participant.ts'
import { pushing } from '../../../src/reclaim/ownership.ts'
import { abdicate, finishDraining, reviveSlots } from '../../../src/reclaim/reaper.ts'
import { GLOBAL_EPOCH, GLOBAL_PAGE_HEAD } from '../../../src/memory/layout.ts'
import { type Person, bury, giveBack, listArena, listFaults, nameFaults, person, runGarbage, take } from './people.ts'
import { type Play, bothOf, type Rehearsable } from './play.ts'

const DEAD = 9
/** Newcomers have the thread ids from here on. */
const GUEST = 20

/** How the dead one left. */
type Death = (dead: Person) => void

/** With things in its hands. */
const holding: Death = (dead) => {
  take(dead)
  take(dead)
}

/** Between taking a thing off the list and claiming it. */
const popping: Death = ({ arena: { words, layout }, me }) => {
  const top = words[GLOBAL_PAGE_HEAD]!
  words[me.at + INTENT_POP_PAGE] = top
  words[GLOBAL_PAGE_HEAD] = words[layout.pageLinksAt + top]!
}

/** Between marking a thing that had been retired and linking it. */
const pushingOne: Death = (dead) => {
  const thing = take(dead)
  take(dead)
  dead.arena.words[dead.free.stateOf(thing)] = pushing(dead.scheme.label)
}

/** As `pushingOne`, but the thing is also the last one that it took. */
const pushingWhatItTook: Death = (dead) => {
  dead.arena.words[dead.free.stateOf(take(dead))] = pushing(dead.scheme.label)
}

/** Inside a pin, with something in its list that has not passed. */
const pinned: Death = (dead) => {
  giveBack(dead, take(dead))
  const { words } = dead.arena
  words[dead.me.at + STATE] = (words[GLOBAL_EPOCH]! << 1) | 1
}

/** Without anything. */
const nothing: Death = () => {}

/** Reaped, but its slot not given up. */
const buried: Death = (dead) => {
  abdicate(dead.arena, dead.me)
}

/** The people of a play, after the death of one who came later; things 1 to 3 are on the list. */
function bereaved(memory: SharedArrayBuffer, people: number, death: Death): Person[] {
  const arena = listArena(memory, { maxParticipants: 5 })
  const cast = Array.from({ length: people }, (_, i) => person(arena, i + 1))
  const first = cast[0]!
  for (let i = 0; i < 3; i++) take(first)
  for (const thing of [3, 2, 1]) giveBack(first, thing)
  first.scheme.flush()
  death(person(arena, DEAD))
  return cast
}

type Part = (one: Person) => readonly number[]

const reap: Part = (one) => {
  bury(one, DEAD)
  return []
}
const takeOne: Part = (one) => [take(one)].filter((thing) => thing !== 0)
const takeAndGiveBack: Part = (one) => {
  giveBack(one, take(one))
  return []
}
const collect: Part = ({ scheme }) => {
  scheme.collect(9)
  return []
}
const advance: Part = (one) => {
  runGarbage(one)
  return []
}
const leave: Part = ({ scheme }) => {
  scheme.detach()
  return []
}
/** The end of leaving: whoever holds nothing and has retired nothing needs no more. */
const goAway: Part = ({ arena, me }) => {
  abdicate(arena, me)
  finishDraining(arena, new GarbageLists(arena), me.slot, me.slot, me.label, me.name)
  return []
}

/** One whose slot was not given up yet gives it up, and comes back. @returns its new slot, as a negative number */
const comeBack: Part = ({ arena, me }) => {
  for (let slot = 0; slot < arena.layout.maxParticipants; slot++) {
    finishDraining(arena, new GarbageLists(arena), slot, me.slot, me.label)
  }
  const back = claimSlot(arena, DEAD)
  return back === undefined ? [] : [-1 - back.slot]
}

/** A newcomer that has found no slot makes one free. */
const revive: Part = ({ arena, me }) => {
  reviveSlots(arena, GUEST + me.slot)
  return []
}

/** A newcomer does what it does first. @returns its slot, as a negative number */
const arrive: Part = ({ arena, me }) => {
  const guest = claimSlot(arena, GUEST + me.slot)
  return guest === undefined ? [] : [-1 - guest.slot]
}

function play(name: string, death: Death, threads: readonly Part[], more: Partial<Play<Person>> = {}): Play<Person> {
  return {
    name: `reaping: ${name}`,
    cast: (memory) => bereaved(memory, threads.length, death),
    threads,
    check(survivors, { results, killed }) {
      const survivor = survivors.at(-1)!
      survivor.scheme.reap(DEAD)
      const hands = results.flatMap((result) => (result === undefined ? [] : (result as number[])))
      const found = new Set(hands).size < hands.length ? [`two have the same: ${hands.join()}`] : []
      for (let guest = 0; guest < threads.length; guest++) survivor.scheme.reap(GUEST + guest)
      // A guest that died before it was counted among the slots in use leaves its slot to be revived when it is needed.
      reviveSlots(survivor.arena, GUEST + threads.length)
      return [
        ...found,
        ...listFaults(
          survivor,
          killed,
          hands.filter((thing) => thing > 0),
        ),
      ]
    },
    ...more,
  }
}

const plays: Play<Person>[] = [
  play('two reap the same', holding, [reap, reap], { does: { reaped: 1 } }),
  play('of a holder, against a taker', holding, [reap, takeOne], { does: { reaped: 1 } }),
  play('of a taker, against a taker', popping, [reap, takeOne], { does: { reaped: 1 } }),
  play('of a taker, against one who takes and gives back', popping, [reap, takeAndGiveBack], { does: { reaped: 1 } }),
  play('of a pusher, against a taker', pushingOne, [reap, takeOne], { does: { reaped: 1 } }),
  play('of a pusher, against one who frees', pushingOne, [reap, advance], { does: { reaped: 1 } }),
  play('of a pusher who had taken the same, against a taker', pushingWhatItTook, [reap, takeOne], {
    does: { reaped: 1 },
  }),
  play('of one who was pinned, against one who frees', pinned, [reap, advance], { does: { reaped: 1 } }),
  play('of one who was pinned, against one who runs its list', pinned, [reap, collect], { does: { reaped: 1 } }),
]

/** Here somebody looks on who is not at it: whoever leaves cannot look after the others. */
function comingsAndGoings(name: string, death: Death, threads: readonly Part[]): Play<Person> {
  return play(name, death, threads, { cast: (memory) => bereaved(memory, threads.length + 1, death) })
}

const more: Play<Person>[] = [
  comingsAndGoings('two arrive', holding, [arrive, arrive]),
  comingsAndGoings('one arrives, one gives up the slot of a dead one', buried, [arrive, collect]),
  comingsAndGoings('two give up the slot of a dead one', buried, [collect, collect]),
  comingsAndGoings('one goes away, one arrives', buried, [goAway, arrive]),
  comingsAndGoings('one goes away, one gives up its slot', nothing, [goAway, collect]),
  comingsAndGoings('two go away', nothing, [goAway, goAway]),
  comingsAndGoings('one leaves, one takes', nothing, [leave, takeOne]),
]

/** Whose death gives up the slot of the one who came back. */
const returning: Play<Person> = {
  ...comingsAndGoings('one comes back, one revives its old slot', buried, [comeBack, revive]),
  check(survivors, { results }) {
    const { arena } = survivors.at(-1)!
    const [back] = (results[0] ?? []) as readonly number[]
    const name = back === undefined ? nameOf(DEAD, 0) : arena.words[slotAt(arena, -1 - back) + THREAD]!
    return names(name, DEAD) ? [] : [`the slot of thread ${DEAD} holds the name ${name}`]
  },
}

/** Whose name stays in the slot that was revived for nothing: while that thread lives, nobody could take the slot. */
const overtaken: Play<Person>[] = [
  comingsAndGoings('one goes away, one revives its slot', nothing, [goAway, revive]),
  comingsAndGoings('two revive a slot', buried, [revive, revive]),
].map((one) => ({
  ...one,
  check: (survivors, outcome) => [
    ...(outcome.killed < 0 ? nameFaults(survivors.at(-1)!.arena) : []),
    ...one.check(survivors, outcome),
  ],
}))

export const scenarios: Rehearsable[] = bothOf([...plays, ...more, returning, ...overtaken])
