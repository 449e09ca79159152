/**
 * A process with one engine: what it does cannot disturb the others, its memory and its CPU time are its own, and if it
 * crashes the run goes on. Answers requests of the runner, one after the other.
 */
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { checkAnswers } from './check.ts'
import { Crew } from './crew.ts'
import { findEntry, loadEngine } from './engines/catalog.ts'
import type { Engine, KeyKind, Setting } from './engines/engine.ts'
import { Histogram } from './histogram.ts'
import type { Outcome, Task } from './lane.ts'
import { type Resident, measureResident } from './resident.ts'
import { needs } from './workloads/plan.ts'
import { findWorkload } from './workloads/catalog.ts'

/** How a process is set up. */
export interface Start {
  readonly engine: string
  readonly local: boolean
  readonly keys: KeyKind
  readonly shuffled: boolean
  readonly keyBytes: number
  readonly valueBytes: number
  readonly records: number
  readonly capacity: number
  readonly memoryBytes: number | null
  readonly directory: string
  readonly mostLanes: number
}

export type HostRequest =
  | { kind: 'start'; start: Start }
  | { kind: 'check' }
  | { kind: 'supports'; workloads: readonly string[] }
  | { kind: 'reset' }
  | { kind: 'run'; task: Task }
  | { kind: 'resident' }
  | { kind: 'end' }

/** What a round of all lanes gave. */
export interface Measured {
  readonly steps: number
  readonly entries: number
  readonly elapsedNs: number
  readonly cpuMicros: number
  readonly counts: Float64Array | null
  readonly maxNs: number
  readonly complete: boolean
}

export type { Resident }

class Host {
  private engine: Engine | undefined
  private start: Start | undefined
  private crew: Crew | undefined
  private opened = 0
  private isOpen = false

  async answer(request: HostRequest): Promise<unknown> {
    if (request.kind === 'start') return this.begin(request.start)
    if (request.kind === 'check')
      return checkAnswers(this.engine!, this.setting(true), findEntry(this.start!.engine).threads === 'many')
    if (request.kind === 'supports') return this.supports(request.workloads)
    if (request.kind === 'reset') return this.reset()
    if (request.kind === 'run') return this.run(request.task)
    if (request.kind === 'resident') return measureResident(this.start!.directory)
    await this.crew!.end()
    return null
  }

  /** @returns why the engine cannot do this setting, or null */
  private async begin(start: Start): Promise<string | null> {
    this.start = start
    this.engine = await loadEngine(start.engine)
    this.crew = new Crew(start.engine, this.engine, start.local, start.shuffled, start.mostLanes)
    return this.engine.refusal?.(this.setting(false)) ?? null
  }

  private setting(small: boolean): Setting {
    const { keys, keyBytes, valueBytes, records, capacity, memoryBytes, directory } = this.start!
    const own = join(directory, String(this.opened++))
    mkdirSync(own, { recursive: true })
    const size = small ? { records: 1000, capacity: 2000 } : { records, capacity }
    return { keys, keyBytes, valueBytes, ...size, memoryBytes, directory: own }
  }

  private async supports(workloads: readonly string[]): Promise<string[]> {
    const setting = this.setting(true)
    const shared = await this.engine!.open(setting)
    const session = await this.engine!.attach(shared.share().data, setting)
    const found = workloads.filter((name) =>
      needs(findWorkload(name)).every((operation) => session[operation] !== undefined),
    )
    await session.close()
    await shared.close()
    rmSync(setting.directory, { recursive: true, force: true })
    return found
  }

  /** Closes what is open, throws its files away, and opens anew. */
  private async reset(): Promise<null> {
    if (this.isOpen) await this.crew!.close()
    ;(globalThis as { gc?: () => void }).gc?.()
    rmSync(this.start!.directory, { recursive: true, force: true })
    await this.crew!.open(this.setting(false))
    this.isOpen = true
    return null
  }

  private async run(task: Task): Promise<Measured> {
    let before = process.cpuUsage()
    const outcomes = await this.crew!.run(task, () => {
      before = process.cpuUsage()
    })
    const used = process.cpuUsage(before)
    return summed(outcomes, used.user + used.system)
  }
}

/** From the first beginning to the last end: what threads wait for a core counts. */
function summed(outcomes: readonly Outcome[], cpuMicros: number): Measured {
  let [{ beginNs, endNs }] = outcomes
  let steps = 0
  let entries = 0
  let complete = true
  const histogram = new Histogram()
  for (const outcome of outcomes) {
    if (outcome.beginNs < beginNs) beginNs = outcome.beginNs
    if (outcome.endNs > endNs) endNs = outcome.endNs
    steps += outcome.steps
    entries += outcome.entries
    complete &&= outcome.complete
    if (outcome.counts !== null) histogram.merge(outcome.counts, outcome.maxNs)
  }
  const counts = outcomes[0].counts === null ? null : histogram.counts
  return { steps, entries, elapsedNs: Number(endNs - beginNs), cpuMicros, counts, maxNs: histogram.max, complete }
}

const host = new Host()
process.on('message', (request: HostRequest) => {
  host.answer(request).then(
    (result) => {
      process.send!({ result })
      if (request.kind === 'end') process.disconnect()
    },
    (error: unknown) =>
      process.send!({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  )
})
// The runner is gone: so is the reason to live.
process.on('disconnect', () => process.exit(0))
