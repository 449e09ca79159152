/** Values that are seen before they are there. */
import assert from 'node:assert/strict'
import { fails, type Scenario } from '../explore/support/scenario.ts'
import { Once, made, ready, value } from '../explore/textbook/publication.ts'

const memory = { bytes: 4096 }

class PlainOnce extends Once {
  override isReady(): boolean {
    return this.words[ready] === 1
  }
}

class HastyOnce extends Once {
  override make(): void {
    Atomics.store(this.words, ready, 1)
    this.words[value] = 42
  }
}

/** Makes the value without the lock: two that find none make one each. */
class UnlockedOnce extends Once {
  override get(): number {
    if (!this.isReady()) this.make()
    return Atomics.load(this.words, value)
  }

  override make(): void {
    Atomics.store(this.words, value, 42)
    Atomics.add(this.words, made, 1)
    Atomics.store(this.words, ready, 1)
  }
}

/** A block is found before its words are written, though all accesses are atomic. */
class HastyCell {
  readonly words: Int32Array

  constructor(words: Int32Array) {
    this.words = words
  }

  publish(): void {
    Atomics.store(this.words, 0, 32)
    Atomics.store(this.words, 32, 42)
  }

  read(): number | undefined {
    const found = Atomics.load(this.words, 0)
    return found === 0 ? undefined : Atomics.load(this.words, found)
  }
}

function get(once: Once): void {
  assert.equal(once.get(), 42)
}

export const scenarios: Scenario[] = [
  fails('double-checked initialisation with plain reads', 'data-race', 2, {
    memory,
    attach: (sab) => new PlainOnce(new Int32Array(sab)),
    threads: [get, get],
  }),
  fails('a value that is announced before it is written', 'data-race', 2, {
    memory,
    attach: (sab) => new HastyOnce(new Int32Array(sab)),
    threads: [get, get],
  }),
  fails('a value that is made twice', 'assertion', 4, {
    memory,
    attach: (sab) => new UnlockedOnce(new Int32Array(sab)),
    threads: [get, get],
    after: (sab) => assert.equal(new Int32Array(sab)[made], 1),
  }),
  fails('a block that is published before it is filled', 'assertion', 4, {
    memory,
    attach: (sab) => new HastyCell(new Int32Array(sab)),
    threads: [(cell) => cell.publish(), (cell) => assert.notEqual(cell.read(), 0)],
  }),
]
