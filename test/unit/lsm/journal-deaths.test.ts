/** Threads that die with slots of the log in their hands, while others go on, or die too. */
import { describe, expect, it } from 'vitest'
import { Engine } from '../../../src/store/engine.ts'
import { MIB, tiny } from '../../support/stores.ts'
import { mapsOf, slotsOf, tieredArena } from '../../support/tiers.ts'
import { dieAt, everyStep, hookAtomics, interruptAt } from '../memory/atomics-hook.ts'
import { entries, get, put, remove, snapshot } from '../tree/engines.ts'

const VICTIM = 9
const OWNER = 8

const first = new Engine(
  tieredArena(256, { memory: MIB, maxThreads: 6, tuning: { ...tiny, pageIds: 64, paranoid: true } }),
  1,
)
first.tree.create()
for (const key of 'abc') put(first, key, key)
first.detach()
const { arena } = first
const back = snapshot(arena)

function engine(threadId: number): Engine {
  return new Engine(arena, threadId)
}

/** New values of a and c. */
function batch({ tree, arena: { bytes } }: Engine, value: string): void {
  const { writer, batchWriter } = tree
  batchWriter.begin()
  for (const key of 'ac') {
    tree.key.copyFrom(new TextEncoder().encode(key), 0, 1)
    bytes[writer.begin(tree.key, 1)] = value.charCodeAt(0)
    writer.finish(1, 1, true)
    batchWriter.add()
  }
  tree.commits.commit(batchWriter.describe(null))
}

/** Every slot is finished, and what they say is what the tree has. @returns the map after each slot */
function expectAgreement(survivor: Engine, about: string): Map<string, string>[] {
  const { log } = survivor.journal!
  expect(slotsOf(log).end, `${about}: frontier`).toBe(log.frontier())
  const maps = mapsOf(log, arena.bytes)
  expect(maps.at(-1), about).toEqual(new Map(entries(survivor)))
  return maps
}

/** The Atomics call of `body` right before which it takes a slot. */
function reservationOf(observer: Engine, body: () => void): number {
  const { log } = observer.journal!
  const before = log.frontier()
  let last = 0
  let found = 0
  hookAtomics((call) => {
    if (found === 0 && log.frontier() !== before) found = last
    last = call
  }, body)
  expect(found).toBeGreaterThan(0)
  return found
}

class Death extends Error {}

/** Runs `other` before one Atomics call of `body`, and stops `body` for good before another one. @returns whether it was */
function stopAndDie(at: number, death: number, body: () => void, other: () => void): boolean {
  let dead = false
  // What `other` does is counted as well if it is hooked itself.
  let inOther = false
  let calls = 0
  try {
    hookAtomics(() => {
      if (inOther) return
      if (++calls === at) {
        inOther = true
        other()
        inOther = false
      }
      dead ||= calls === death
      if (dead) throw new Death()
    }, body)
  } catch (error) {
    if (!(error instanceof Death)) throw error
  }
  return dead
}

const changes: Record<string, (engine: Engine) => unknown> = {
  'an insert': (e) => put(e, 'n', '1'),
  'an overwrite': (e) => put(e, 'a', '1'),
  'a delete': (e) => remove(e, 'b'),
}

/** Writes down what it has read, under other keys, and overwrites it then. */
function copyAll(other: Engine): void {
  const [n, a, b] = [get(other, 'n'), get(other, 'a'), get(other, 'b')]
  if (n !== undefined) put(other, 'n read', n)
  if (a === '1') put(other, 'a read', a)
  if (b === undefined) put(other, 'b missed', '')
  put(other, 'n', '2')
  put(other, 'a', '2')
  put(other, 'b', '2')
}

/** Whoever has written down what it read did so after it was written. */
function expectCausality(maps: readonly Map<string, string>[], about: string): void {
  let [wasN, wasA, wasGone] = [false, false, false]
  for (const map of maps.slice(4)) {
    wasN ||= map.get('n') === '1'
    wasA ||= map.get('a') === '1'
    wasGone ||= !map.has('b')
    if (map.has('n read')) expect(wasN, about).toBe(true)
    if (map.has('a read')) expect(wasA, about).toBe(true)
    if (map.has('b missed')) expect(wasGone, about).toBe(true)
  }
}

describe.each(Object.entries(changes))('%s whose thread has died', (_, change) => {
  it('is in the log before who has read it, whenever that overwrites it while it is reaped', () => {
    let stops = 0
    everyStep((death) => {
      let dead = true
      everyStep(
        (step) => {
          back()
          const [reaper, other, victim] = [engine(2), engine(3), engine(VICTIM)]
          dead = dieAt(death, () => void change(victim))
          if (!dead) return false
          const interrupted = interruptAt(
            step,
            () => void reaper.scheme.reap(VICTIM),
            () => copyAll(other),
          )
          if (!interrupted) return false
          const about = `death ${death}, step ${step}`
          expectCausality(expectAgreement(reaper, about), about)
          stops++
          // What follows has nothing to do with the log.
          return step < 45
        },
        3,
        1 + (death % 3),
      )
      return dead
    })
    expect(stops).toBeGreaterThan(150)
  })
})

describe('a batch', () => {
  it('whose owner dies after a helper has died is in the log if it is in the tree', () => {
    back()
    const [observer, one] = [engine(2), engine(OWNER)]
    const reservation = reservationOf(observer, () => batch(one, '1'))
    const seen = new Set<string>()
    let agreed = 0
    for (const ownerStep of [reservation - 20, reservation - 3, reservation, reservation + 1, reservation + 4]) {
      for (const order of [
        [OWNER, VICTIM],
        [VICTIM, OWNER],
      ]) {
        everyStep(
          (helperStep) => {
            back()
            const [survivor, owner, helper] = [engine(2), engine(OWNER), engine(VICTIM)]
            let helperDied = false
            stopAndDie(
              ownerStep,
              ownerStep + 1,
              () => batch(owner, '1'),
              () => (helperDied = dieAt(helperStep, () => void put(helper, 'a', '2'))),
            )
            if (!helperDied) return false
            if (survivor.journal!.log.reservedBy(helper.me.slot) >= 0) agreed++
            for (const thread of order) survivor.scheme.reap(thread)
            expectAgreement(survivor, `owner ${ownerStep}, helper ${helperStep}, ${order.join()}`)
            seen.add(`${get(survivor, 'a')}${get(survivor, 'c')}`)
            return true
          },
          1,
          5,
        )
      }
    }
    expect([...seen].sort()).toEqual(['11', '21'])
    expect(agreed).toBeGreaterThan(20)
  })

  it('is not made again by the slot of a helper that came too late, and died', () => {
    back()
    const reservation = (() => {
      const [observer, owner] = [engine(2), engine(OWNER)]
      return reservationOf(observer, () => batch(owner, '1'))
    })()
    /** Stops the owner before it takes a slot, and runs `body` then. */
    const whileInstalled = (body: (helper: Engine, other: Engine) => void): Engine => {
      back()
      const [survivor, owner, helper, other] = [engine(2), engine(OWNER), engine(VICTIM), engine(3)]
      interruptAt(
        reservation,
        () => batch(owner, '1'),
        () => body(helper, other),
      )
      return survivor
    }
    let before = 0
    whileInstalled((helper, other) => (before = reservationOf(other, () => void put(helper, 'a', '2'))))
    let stuck = 0
    for (let death = before + 1; death < before + 16; death++) {
      const survivor = whileInstalled((helper, other) => {
        stopAndDie(
          before,
          death,
          () => void put(helper, 'a', '2'),
          () => void put(other, 'a', '3'),
        )
      })
      if (
        survivor.journal!.log.reservedBy(4) >= 0 ||
        slotsOf(survivor.journal!.log).end !== survivor.journal!.frontier()
      )
        stuck++
      survivor.scheme.reap(VICTIM)
      expectAgreement(survivor, `death ${death}`)
    }
    expect(stuck).toBeGreaterThan(1)
  })
})
