/** Memory that is given back too early, twice, or never. */
import assert from 'node:assert/strict'
import { register } from '../../src/explore/index.ts'
import { fails, type Scenario } from '../explore/support/scenario.ts'
import { Epochs, type Retired } from '../explore/textbook/epochs.ts'
import { FutexMutex } from '../explore/textbook/locks.ts'
import { Pool } from '../explore/textbook/pool.ts'
import { Snapshot, phase, readSnapshot, readers, writeSnapshot } from '../explore/textbook/publication.ts'
import { EpochStack, epochsAt, head, twoNodes } from '../explore/textbook/treiber-stack.ts'

const memory = { bytes: 4096 }

/** Retires a node while it is still linked. */
class EagerStack extends EpochStack {
  override pop(): number | undefined {
    const { words } = this
    this.epochs.pin()
    for (;;) {
      const top = Atomics.load(words, head)
      this.epochs.retire(top)
      if (Atomics.compareExchange(words, head, top, words[top + 1]!) !== top) continue
      const value = words[top]
      this.epochs.unpin()
      return value
    }
  }
}

/** Takes the epoch in which it began for the one in which it unlinked the node. */
class EarlyEpochStack extends EpochStack {
  override pop(): number | undefined {
    this.epochs.pin()
    const epoch = this.epochs.now()
    const node = this.take()
    const value = this.words[node]
    this.epochs.unpin()
    this.epochs.limbo.push({ block: node, epoch })
    return value
  }
}

class ShortEpochs extends Epochs {
  override ripe(retired: Retired, epoch: number): boolean {
    return retired.epoch + 1 <= epoch
  }
}

class ShortEpochStack extends EpochStack {
  override readonly epochs: Epochs

  constructor(words: Int32Array, thread: number) {
    super(words, thread)
    this.epochs = new ShortEpochs(words, epochsAt, thread, this.pool)
  }
}

/** Does not look again whether the phase in which it counted itself is still the present one. */
class TrustingSnapshot extends Snapshot {
  override enter(): number {
    const mine = readers + Atomics.load(this.words, phase)
    Atomics.add(this.words, mine, 1)
    return mine
  }
}

const shared = 0
const hazard = 1
const block = 32

/** One block, which a reader announces before it reads, but without looking whether it is still the one to read. */
class HazardCell {
  readonly words: Int32Array
  readonly pool: Pool

  constructor(words: Int32Array, thread: number) {
    this.words = words
    this.pool = new Pool(words, 64 + 16 * thread, 1)
  }

  read(): number {
    const { words } = this
    const found = Atomics.load(words, shared)
    Atomics.store(words, hazard, found)
    const value = words[found]!
    Atomics.store(words, hazard, 0)
    return value
  }

  write(value: number): void {
    const { words } = this
    const fresh = this.pool.take()
    words[fresh] = value
    const old = Atomics.exchange(words, shared, fresh)
    while (Atomics.load(words, hazard) === old);
    this.pool.give(old)
  }
}

/** A cell for a block that is to be given back; whoever comes by does it. */
class Bin {
  readonly words: Int32Array
  readonly pool: Pool

  constructor(words: Int32Array, thread: number) {
    this.words = words
    this.pool = new Pool(words, 64 + 16 * thread, 2)
  }

  empty(): void {
    const found = Atomics.load(this.words, shared)
    if (found === 0) return
    Atomics.store(this.words, shared, 0)
    this.pool.give(found)
  }
}

/** A block with a count of those who hold it, in its first word. Who brings it to 0 gives it back. */
class Counted extends Bin {
  release(): void {
    Atomics.sub(this.words, 1, 1)
    if (Atomics.load(this.words, 1) === 0) this.pool.give(block)
  }
}

/** A cell that is filled by the first who comes. */
class FirstWins extends Bin {
  /** Forgets its block if another was first. */
  fill(value: number): void {
    const fresh = this.pool.take()
    this.words[fresh] = value
    Atomics.compareExchange(this.words, shared, 0, fresh)
  }

  take(): void {
    const old = Atomics.exchange(this.words, shared, 0)
    if (old !== 0) this.pool.give(old)
  }
}

/** A value in two blocks, under a lock: the first holds the index of the second. */
class Fragments extends Bin {
  readonly mutex: FutexMutex

  constructor(words: Int32Array, thread: number) {
    super(words, thread)
    this.mutex = new FutexMutex(words, 8)
  }

  make(value: number): number {
    const first = this.pool.take()
    const second = this.pool.take()
    this.words[first] = second
    this.words[second] = value
    return first
  }

  put(value: number): void {
    this.mutex.lock()
    this.words[shared] = this.make(value)
    this.mutex.unlock()
  }

  clear(): void {
    this.mutex.lock()
    const first = this.words[shared]!
    this.words[shared] = 0
    this.pool.give(this.words[first]!)
    this.pool.give(first)
    this.mutex.unlock()
  }

  /** Moves the value to other blocks, and gives back only the first of the old ones. */
  clean(): void {
    this.mutex.lock()
    const first = this.words[shared]!
    if (first !== 0) {
      this.words[shared] = this.make(this.words[this.words[first]!]!)
      this.pool.give(first)
    }
    this.mutex.unlock()
  }
}

function popAndCollect(s: EpochStack): void {
  s.pop()
  s.epochs.collect()
}

function collectAndPop(s: EpochStack): void {
  s.epochs.collect()
  s.pop()
}

function fillAndTake(cell: FirstWins): void {
  cell.fill(1)
  cell.take()
}

export const scenarios: Scenario[] = [
  fails('a node retired before it is unlinked', 'use-after-free', 72, {
    memory,
    setup: twoNodes,
    attach: (sab, thread) => new EagerStack(new Int32Array(sab), thread),
    threads: [collectAndPop, popAndCollect],
  }),
  fails('the epoch read before the node is unlinked', 'use-after-free', 62, {
    memory,
    setup: twoNodes,
    attach: (sab, thread) => new EarlyEpochStack(new Int32Array(sab), thread),
    threads: [collectAndPop, popAndCollect],
  }),
  fails('a node given back one epoch too early', 'use-after-free', 10, {
    memory,
    setup: twoNodes,
    attach: (sab, thread) => new ShortEpochStack(new Int32Array(sab), thread),
    threads: [(s) => void s.pop(), popAndCollect],
  }),
  fails('a reader that does not look again after it has come in', 'use-after-free', 54, {
    memory,
    setup: (sab) => Snapshot.format(new Int32Array(sab)),
    attach: (sab, thread) => new TrustingSnapshot(new Int32Array(sab), thread),
    threads: [
      (snapshot) => {
        writeSnapshot(snapshot, 1)
        writeSnapshot(snapshot, 2)
      },
      readSnapshot,
    ],
    linearizable: register([0, 0]),
  }),
  fails('a hazard pointer that is not looked at again', 'use-after-free', 14, {
    memory,
    setup: (sab) => (new Int32Array(sab)[shared] = block),
    attach: (sab, thread) => new HazardCell(new Int32Array(sab), thread),
    threads: [(cell) => cell.write(1), (cell) => void cell.read()],
  }),
  fails('one block given back by two', 'double-free', 4, {
    memory,
    setup: (sab) => (new Int32Array(sab)[shared] = block),
    attach: (sab, thread) => new Bin(new Int32Array(sab), thread),
    threads: [(bin) => bin.empty(), (bin) => bin.empty()],
  }),
  fails('a count that is lowered and then looked at', 'double-free', 4, {
    memory,
    setup: (sab) => (new Int32Array(sab)[1] = 2),
    attach: (sab, thread) => new Counted(new Int32Array(sab), thread),
    threads: [(counted) => counted.release(), (counted) => counted.release()],
  }),
  fails('a block forgotten by the one who came second', 'leak', 4, {
    memory,
    attach: (sab, thread) => new FirstWins(new Int32Array(sab), thread),
    threads: [fillAndTake, fillAndTake],
    after: (sab) => assert.equal(new Int32Array(sab)[shared], 0),
    leaks: true,
  }),
  fails('a cleaner that forgets a fragment', 'leak', 56, {
    memory,
    attach: (sab, thread) => new Fragments(new Int32Array(sab), thread),
    threads: [
      (cell) => {
        cell.put(1)
        cell.clear()
      },
      (cell) => cell.clean(),
    ],
    leaks: true,
  }),
]
