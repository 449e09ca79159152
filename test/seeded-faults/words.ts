/** Words that are torn, lost or overwritten. */
import assert from 'node:assert/strict'
import { counter, op, register } from '../../src/explore/index.ts'
import { fails, type Scenario } from '../explore/support/scenario.ts'
import { Seqlock, first, read, second, sequence, write } from '../explore/textbook/seqlock.ts'

const memory = { bytes: 4096 }

class UncheckedSeqlock extends Seqlock {
  override read(): [number, number] {
    const { words } = this
    while (Atomics.load(words, sequence) % 2 === 1);
    return [Atomics.load(words, first), Atomics.load(words, second)]
  }
}

/** Does not make the sequence odd while it writes. */
class EvenSeqlock extends Seqlock {
  override write(a: number, b: number): void {
    const { words } = this
    Atomics.store(words, first, a)
    Atomics.store(words, second, b)
    Atomics.add(words, sequence, 2)
  }
}

function increment(words: Int32Array): void {
  op('increment', [], () => {
    const count = Atomics.load(words, 0) + 1
    Atomics.store(words, 0, count)
    return count
  })
}

function incrementPlainly(words: Int32Array): void {
  words[0] = words[0]! + 1
}

/** A header of a whole word, whose lower half is a length that some read by itself. */
function setHeader(words: Int32Array): void {
  Atomics.store(words, 0, (3 << 16) | 5)
}

function readLength(words: Int32Array): void {
  const halves = new Int16Array(words.buffer)
  assert.ok([0, 5].includes(Atomics.load(halves, 0)))
}

const attach = (sab: SharedArrayBuffer): Int32Array => new Int32Array(sab)

export const scenarios: Scenario[] = [
  fails('a seqlock that does not look at the sequence again', 'not-linearizable', 12, {
    memory,
    attach: (sab) => new UncheckedSeqlock(new Int32Array(sab)),
    threads: [(lock) => write(lock, 1, 1), (lock) => void read(lock)],
    linearizable: register([0, 0]),
  }),
  fails('a seqlock whose writer leaves the sequence even', 'not-linearizable', 10, {
    memory,
    attach: (sab) => new EvenSeqlock(new Int32Array(sab)),
    threads: [(lock) => write(lock, 1, 1), (lock) => void read(lock)],
    linearizable: register([0, 0]),
  }),
  fails('a count that is read and then written', 'not-linearizable', 6, {
    memory,
    attach,
    threads: [increment, increment],
    linearizable: counter(),
  }),
  fails('a count in a plain word', 'data-race', 2, {
    memory,
    attach,
    threads: [incrementPlainly, incrementPlainly],
  }),
  fails('atomic accesses of two sizes to one word', 'data-race', 4, {
    memory,
    attach,
    threads: [setHeader, readLength],
  }),
]
