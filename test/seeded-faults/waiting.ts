/** Sleepers that nobody wakes, or that take being woken for having what they wait for. */
import assert from 'node:assert/strict'
import { fails, type Scenario } from '../explore/support/scenario.ts'

const memory = { bytes: 4096 }
const flag = 0
const bell = 1

class Mailbox {
  readonly words: Int32Array

  constructor(words: Int32Array) {
    this.words = words
  }

  /** Sleeps on a bell that never changes: if it rings between the look and the sleep, nobody hears it. */
  sleep(): void {
    while (Atomics.load(this.words, flag) === 0) Atomics.wait(this.words, bell, 0)
  }

  ring(): void {
    Atomics.store(this.words, flag, 1)
    Atomics.notify(this.words, bell)
  }

  wait(): void {
    while (Atomics.load(this.words, flag) === 0) Atomics.wait(this.words, flag, 0)
  }

  /** Wakes before there is anything to wake for. */
  wakeAndSet(): void {
    Atomics.notify(this.words, flag)
    Atomics.store(this.words, flag, 1)
  }

  put(): void {
    Atomics.add(this.words, flag, 1)
    Atomics.notify(this.words, flag)
  }

  /** Does not look again after it was woken: another may have been faster. */
  take(): void {
    if (Atomics.load(this.words, flag) === 0) Atomics.wait(this.words, flag, 0)
    assert.ok(Atomics.sub(this.words, flag, 1) > 0, 'took from nothing')
  }

  /** Wakes one, though two may wait. */
  open(): void {
    Atomics.store(this.words, flag, 1)
    Atomics.notify(this.words, flag, 1)
  }
}

const attach = (sab: SharedArrayBuffer): Mailbox => new Mailbox(new Int32Array(sab))

export const scenarios: Scenario[] = [
  fails('a bell that rings before the sleep', 'lost-wake-up', 4, {
    memory,
    attach,
    threads: [(box) => box.sleep(), (box) => box.ring()],
  }),
  fails('a wake before the change', 'lost-wake-up', 4, {
    memory,
    attach,
    threads: [(box) => box.wait(), (box) => box.wakeAndSet()],
  }),
  fails('one wake for two sleepers', 'lost-wake-up', 2, {
    memory,
    attach,
    threads: [(box) => box.wait(), (box) => box.wait(), (box) => box.open()],
  }),
  fails('a condition that is not looked at again', 'assertion', 82, {
    memory,
    attach,
    threads: [
      (box) => box.take(),
      (box) => box.take(),
      (box) => {
        box.put()
        box.put()
      },
    ],
  }),
]
