/** One thread's part in a round: draws what it will do, waits to be told to go, and measures. */
import type { Key, Session, Setting } from './engines/engine.ts'
import { Histogram } from './histogram.ts'
import { findWorkload } from './workloads/catalog.ts'
import { runCommits } from './workloads/commits.ts'
import { type Material, runSteps, timeFlushed, timeSteps } from './workloads/loops.ts'
import { OPERATIONS, type Plan, Planner } from './workloads/plan.ts'

/** What a lane is to do next. */
export interface Task {
  readonly workload: string
  /** Lanes that take part. */
  readonly lanes: number
  /** Steps to draw; a load takes what is its share. */
  readonly count: number
  /** Of a load: the whole is done in so many tasks, and this is the one of that number. */
  readonly chunks: number
  readonly chunk: number
  readonly seed: number
  /** Steps between two looks at the clock. */
  readonly sliceSteps: number
  /** Stops when so much time has passed, or when all steps are done. */
  readonly limitMs: number
  /** Times each step. */
  readonly latency: boolean
  /** Loads quickly: writes that are single otherwise are put together, and each record has a value of its own. */
  readonly bulk: boolean
  /** Draws keys and makes values as it would, and hands none of them to the engine. */
  readonly rehearsal: boolean
}

export interface Outcome {
  readonly steps: number
  readonly entries: number
  /** Of the clock that all threads share. */
  readonly beginNs: bigint
  readonly endNs: bigint
  readonly counts: Float64Array | null
  readonly maxNs: number
  /** Whether every step was done. */
  readonly complete: boolean
}

/** Scans of engines that put them together: so many at a time. */
const SCANS_TOGETHER = 20

type MinorGc = (options: { type: 'minor' }) => void

/** Keys that were just made move no more once they are old: nobody's measurement pays for it. */
function settleKeys(): void {
  const gc = (globalThis as { gc?: MinorGc }).gc
  gc?.({ type: 'minor' })
  gc?.({ type: 'minor' })
}

export class Lane {
  /** Bytes read, kept so that no reading is optimised away. */
  readBytes = 0
  /** The last value of a rehearsal, kept for the same reason. */
  rehearsed: unknown
  private readonly session: Session
  private readonly planner: Planner
  private readonly material: Material
  private readonly plain: Buffer
  private readonly index: number
  private plan: Plan | undefined
  private task: Task | undefined

  constructor(session: Session, setting: Setting, shuffled: boolean, index: number, lanes: number) {
    this.session = session
    this.index = index
    this.planner = new Planner(setting.keys, setting.records, shuffled, index, lanes)
    this.plain = Buffer.alloc(setting.valueBytes, 'v')
    this.material = { value: session.prepare(this.plain), target: Buffer.alloc(setting.valueBytes) }
  }

  /** Draws the keys. */
  prepare(task: Task): void {
    const workload = findWorkload(task.workload)
    this.task = task
    this.plan =
      workload.kind === 'load'
        ? this.planner.load(workload.sequential, this.index * task.chunks + task.chunk, task.lanes * task.chunks)
        : this.planner.draw(workload, task.count, task.seed + this.index * 77_777)
    if (!task.bulk) settleKeys()
  }

  /** Does it. */
  async go(): Promise<Outcome> {
    const { session } = this
    const task = this.task!
    const plan = this.plan!
    this.plan = undefined
    if (task.bulk && !task.rehearsal) session.bulk?.(true)
    const slice = this.sliceOf(task, plan)
    const histogram = task.latency ? new Histogram() : null
    const deferred = Uint8Array.from(OPERATIONS, (operation) => (session.deferred.has(operation) ? 1 : 0))
    const begun = new Float64Array(slice)
    const { commits } = findWorkload(task.workload)
    const entriesBefore = session.entries
    const beginNs = process.hrtime.bigint()
    const stopNs = beginNs + BigInt(Math.round(task.limitMs * 1e6))
    let endNs = beginNs
    let done = 0
    if (commits !== null) {
      done = await runCommits(session, plan, this.material.value, commits, task.limitMs, histogram)
      endNs = process.hrtime.bigint()
    }
    while (commits === null && done < plan.count && endNs < stopNs) {
      const to = Math.min(plan.count, done + slice)
      if (task.rehearsal) this.rehearse(done, to)
      else if (task.bulk) this.setOwn(plan.keys, done, to)
      else if (histogram === null) this.readBytes += runSteps(session, plan, this.material, done, to)
      else this.readBytes += timeSteps(session, plan, this.material, done, to, deferred, begun, histogram)
      const flushed = task.rehearsal ? undefined : session.flush?.()
      if (flushed !== undefined) await flushed
      if (histogram !== null) timeFlushed(begun, to - done, histogram)
      done = to
      endNs = process.hrtime.bigint()
    }
    if (task.bulk && !task.rehearsal) session.bulk?.(false)
    const entries = session.entries - entriesBefore
    const counts = histogram?.counts ?? null
    return { steps: done, entries, beginNs, endNs, counts, maxNs: histogram?.max ?? 0, complete: done >= plan.count }
  }

  private sliceOf(task: Task, plan: Plan): number {
    const { session } = this
    const hasScans = plan.limit !== 0 || plan.limits.length > 0
    if (session.batch === 0) return task.sliceSteps
    // An engine that has nothing to put together in this plan looks at the clock as the others do.
    const waits = plan.code < 0 || session.deferred.has(OPERATIONS[plan.code])
    if (!waits) return Math.min(session.batch, task.sliceSteps)
    return hasScans && session.deferred.has('scan') ? Math.min(session.batch, SCANS_TOGETHER) : session.batch
  }

  /** What `setOwn` does but for the engine's part: the heap grows as it will. */
  private rehearse(from: number, to: number): void {
    for (let i = from; i < to; i++) this.rehearsed = this.session.prepare(Buffer.from(this.plain))
  }

  /** Each record gets a value that is its own object: some engines keep what they are given. */
  private setOwn(keys: Key[], from: number, to: number): void {
    const { session } = this
    for (let i = from; i < to; i++) session.set(keys[i], session.prepare(Buffer.from(this.plain)))
  }
}
