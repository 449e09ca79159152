import type { Random } from '../random.ts'
import type { Slot } from '../soak/control.ts'
import { isFull } from '../text-store.ts'
import {
  isConflict,
  isExpired,
  type BatchOperation,
  type Isolation,
  type TextReads,
  type TextTransaction,
  type TransactionalStore,
} from '../transactional-store.ts'
import { audit } from './audit.ts'
import { accountKey, accountOf, jointKey, JOINTS, pocketKey, POCKETS, sequenceKey, type Plan } from './plan.ts'

/** The tally of a slot's transfers, among those that its words have. */
export const TRANSFERS = 0
const MOST_MOVED = 40
/** Accounts that are looked at together, by one range. */
const NEIGHBOURS = 6
const ATTEMPTS_OF_AUDIT = 3
const MOST_THOUGHT = 300_000

/** What a teller works with. */
export interface Desk {
  readonly store: TransactionalStore
  readonly slot: Slot
  readonly index: number
  readonly plan: Plan
  readonly random: Random
  readonly violated: (text: string) => void
}

/** One worker's transfers and audits. Every transfer writes its number, so it is known whether it happened. */
export class Teller {
  private readonly desk: Desk
  private readonly mix: readonly (readonly [number, () => void])[]

  constructor(desk: Desk) {
    this.desk = desk
    this.mix = [
      [30, () => this.transfer('serializable')],
      [20, () => this.transfer('snapshot')],
      [12, () => this.level('serializable')],
      [8, () => this.level('snapshot')],
      [35, () => this.useJoint()],
      [20, () => this.movePockets()],
      [3, () => this.auditBySnapshot()],
      [2, () => this.auditByTransaction('serializable')],
      [1, () => this.auditByTransaction('snapshot')],
      [1, () => this.auditAndSign()],
    ]
  }

  /** A new worker finds out whether the transfer that its predecessor was killed in has happened. */
  recover(): void {
    const { store, slot, index, violated } = this.desk
    const there = balance(store, sequenceKey(index))
    const done = slot.done(TRANSFERS)
    const intended = slot.intended(TRANSFERS)
    if (there === intended) slot.settle(TRANSFERS, intended - done)
    else if (there === done) slot.withdraw(TRANSFERS, intended - done)
    else violated(`slot ${index} has made ${there} transfers, but knows of ${done}, and began ${intended}`)
  }

  work(): void {
    let weights = 0
    for (const [weight] of this.mix) weights += weight
    let pick = this.desk.random.below(weights)
    let which = 0
    while (pick >= this.mix[which][0]) pick -= this.mix[which++][0]
    this.mix[which][1]()
    this.desk.slot.countOperation()
  }

  private transfer(isolation: Isolation): void {
    const { random, plan } = this.desk
    const from = random.below(plan.accounts)
    const to = (from + 1 + random.below(plan.accounts - 1)) % plan.accounts
    const wanted = random.between(1, MOST_MOVED)
    this.commit(isolation, (tx) => {
      const amount = Math.min(wanted, balance(tx, accountKey(from)))
      add(tx, accountKey(from), -amount)
      add(tx, accountKey(to), amount)
    })
  }

  /** The richest of some neighbours gives to the poorest: who that is depends on a range, and on what is not in it. */
  private level(isolation: Isolation): void {
    const { random, plan } = this.desk
    const first = random.below(plan.accounts)
    const last = Math.min(plan.accounts, first + NEIGHBOURS)
    const reverse = random.oneIn(2)
    this.commit(isolation, (tx) => {
      const found = new Map<number, number>()
      for (let account = first; account < last; account++) found.set(account, 0)
      const range = { gte: accountKey(first), lt: accountKey(last), reverse }
      for (const [key, text] of tx.entries(range)) found.set(accountOf(key), Number(text))
      const sorted = [...found].sort((a, b) => a[1] - b[1])
      const [poor, rich] = [sorted[0], sorted[sorted.length - 1]]
      const amount = Math.ceil((rich[1] - poor[1]) / 2)
      add(tx, accountKey(rich[0]), -amount)
      add(tx, accountKey(poor[0]), amount)
    })
  }

  /** Either half of a joint account pays, as long as both together can; now and then somebody pays in. */
  private useJoint(): void {
    const { random, plan } = this.desk
    const joint = random.below(JOINTS)
    const half = random.below(2)
    const other = accountKey(random.below(plan.accounts))
    const payIn = random.oneIn(3)
    // Two who each take all, by different halves, must not both succeed.
    const wanted = payIn || random.oneIn(4) ? random.between(1, MOST_MOVED) : Infinity
    this.commit('serializable', (tx) => {
      const both = balance(tx, jointKey(joint, 0)) + balance(tx, jointKey(joint, 1))
      const amount = payIn ? -Math.min(wanted, balance(tx, other)) : Math.min(wanted, both)
      add(tx, jointKey(joint, half), -amount)
      add(tx, other, amount)
    })
  }

  private movePockets(): void {
    const { store, slot, random, index } = this.desk
    const from = random.below(POCKETS)
    const to = (from + 1 + random.below(POCKETS - 1)) % POCKETS
    const there = balance(store, pocketKey(index, from))
    const amount = Math.min(there, random.between(1, MOST_MOVED))
    const write = (key: string, value: number): BatchOperation =>
      value === 0 ? { type: 'delete', key } : { type: 'set', key, value: String(value) }
    const operations = [
      write(pocketKey(index, to), balance(store, pocketKey(index, to)) + amount),
      write(sequenceKey(index), slot.done(TRANSFERS) + 1),
      write(pocketKey(index, from), there - amount),
    ]
    this.settle(() => store.batch(operations))
  }

  private commit(isolation: Isolation, body: (tx: TextTransaction) => void): void {
    const { store, slot, index, random } = this.desk
    const next = String(slot.done(TRANSFERS) + 1)
    const thought = random.oneIn(4) ? random.below(MOST_THOUGHT) : 0
    const whole = (tx: TextTransaction): void => {
      body(tx)
      think(thought)
      tx.set(sequenceKey(index), next)
    }
    this.settle(() => store.transaction(whole, { isolation }))
  }

  /** Runs what writes the next number, and notes whether it has. */
  private settle(act: () => void): void {
    const { slot } = this.desk
    slot.announce(TRANSFERS, 1)
    if (this.attempt(act)) slot.settle(TRANSFERS, 1)
    else slot.withdraw(TRANSFERS, 1)
  }

  private attempt(act: () => void): boolean {
    try {
      act()
      return true
    } catch (error) {
      if (!isConflict(error) && !isExpired(error) && !isFull(error)) throw error
      this.desk.slot.countFull()
      return false
    }
  }

  private auditBySnapshot(): void {
    const { store } = this.desk
    this.attempt(() => {
      const snapshot = store.snapshot()
      try {
        this.check(snapshot, 'a snapshot')
      } finally {
        snapshot.close()
      }
    })
  }

  private auditByTransaction(isolation: Isolation): void {
    const { store } = this.desk
    // What is seen counts once the transaction has been committed.
    this.attempt(() => {
      const entries = store.transaction((tx) => [...tx.entries()], { isolation })
      this.checkEntries(entries, `a ${isolation} transaction`)
    })
  }

  /** An audit that also writes: it conflicts with every transfer, and must not be committed if there was one. */
  private auditAndSign(): void {
    const { store, slot, index } = this.desk
    const next = String(slot.done(TRANSFERS) + 1)
    let entries: [string, string][] = []
    const body = (tx: TextTransaction): void => {
      entries = [...tx.entries()]
      tx.set(sequenceKey(index), next)
    }
    this.settle(() => {
      store.transaction(body, { attempts: ATTEMPTS_OF_AUDIT })
      this.checkEntries(entries, 'a signed audit')
    })
  }

  private check(reads: TextReads, by: string): void {
    this.checkEntries(reads.entries(), by)
  }

  private checkEntries(entries: Iterable<readonly [string, string]>, by: string): void {
    const { plan, slot, index, violated } = this.desk
    const { problems, sequences } = audit(entries, plan)
    for (const problem of problems) violated(`${by} by slot ${index}: ${problem}`)
    const own = sequences.get(index)
    const done = slot.done(TRANSFERS)
    if (own !== done) violated(`${by}: slot ${index} has made ${done} transfers, and finds ${own}`)
  }
}

/** A transaction that takes its time overlaps with others, even on few cores. */
function think(steps: number): void {
  for (let i = 0; i < steps; i++) Math.imul(i, i)
}

function balance(reads: Pick<TextReads, 'get'>, key: string): number {
  return Number(reads.get(key) ?? '0')
}

/** Adds to a balance; it is read again, so that a transaction has to see its own writes. */
function add(tx: TextTransaction, key: string, amount: number): void {
  const sum = balance(tx, key) + amount
  if (sum === 0) tx.delete(key)
  else tx.set(key, String(sum))
}
