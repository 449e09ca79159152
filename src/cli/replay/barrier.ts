/**
 * Where the workers of a replay meet at the end of each block: a sense-reversing barrier in four words of their own.
 *
 *   0 phase: blocks that all have finished   1 workers that have arrived   2 stop   3 operations done
 *
 * A worker that dies before it arrives leaves the others waiting; the main thread, which sees that, raises stop.
 */
const PHASE = 0
const ARRIVED = 1
const STOP = 2
const DONE = 3
const LOOK_MS = 200

export class Barrier {
  readonly buffer: SharedArrayBuffer
  private readonly words: Int32Array
  private readonly workers: number

  constructor(workers: number, buffer = new SharedArrayBuffer(16)) {
    this.workers = workers
    this.buffer = buffer
    this.words = new Int32Array(buffer)
  }

  /**
   * Waits until every worker has arrived.
   * @param done operations of this worker since the last time
   * @returns false if the replay was stopped
   */
  arrive(done: number): boolean {
    const { words } = this
    Atomics.add(words, DONE, done)
    const phase = Atomics.load(words, PHASE)
    if (Atomics.add(words, ARRIVED, 1) === this.workers - 1) {
      Atomics.store(words, ARRIVED, 0)
      Atomics.add(words, PHASE, 1)
      Atomics.notify(words, PHASE)
    }
    while (Atomics.load(words, PHASE) === phase && !this.isStopped()) Atomics.wait(words, PHASE, phase, LOOK_MS)
    return !this.isStopped()
  }

  stop(): void {
    Atomics.store(this.words, STOP, 1)
    Atomics.notify(this.words, PHASE)
  }

  isStopped(): boolean {
    return Atomics.load(this.words, STOP) !== 0
  }

  /** Operations done up to the last barrier that each worker reached. */
  done(): number {
    return Atomics.load(this.words, DONE)
  }
}
