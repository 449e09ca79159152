/** The engines of a run, each in its process, set up alike, checked and loaded. */
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { type Entry, findEntry } from './engines/catalog.ts'
import type { KeyKind } from './engines/engine.ts'
import { HostProcess } from './host-process.ts'
import type { Start } from './engine-host.ts'
import type { Task } from './lane.ts'
import type { Options } from './options.ts'
import { WORKLOADS, findWorkload } from './workloads/catalog.ts'
import { keyBytesOf } from './workloads/keys.ts'

/** What is put into the engines. */
export interface Variation {
  readonly keys: KeyKind
  readonly valueBytes: number
  readonly records: number
  /** What an engine may use of it, where that can be told; as much as it likes if it is absent. */
  readonly memoryBytes?: number
}

/** Values of more than this together are not loaded: there are fewer records then. */
const MOST_VALUE_BYTES = 2 ** 30
/** All engines of a run are there at the same time. This much of the memory may be theirs, */
const MEMORY_SHARE = 0.8
/** of which a process takes this much before it has any records, and so much for each of its threads: as seen here. */
const PROCESS_BYTES = 150e6
const LANE_BYTES = 45e6
/** Beside its value: the most that an engine takes, and the keys drawn for it. Values are twice in some engines, or in flight. */
const RECORD_BYTES = 300
const VALUE_COPIES = 3
/** What is left for records of a memory that the threads alone would fill. */
const LEAST_SHARE = 0.1
const LEAST_RECORDS = 100
/** Some workloads insert. */
const ROOM = 1.25
const ROOM_RECORDS = 20_000
const LOAD_CHUNKS = 8
const FOREVER_MS = 120_000
const SHARED_MEMORY = '/dev/shm'

/** What the options say, with fewer records where the machine's memory would not do for the values of all engines. */
export function variationOf(
  options: Options,
  keys: KeyKind,
  valueBytes: number,
  memoryBytes: number = totalmem(),
): Variation {
  const { engines, workers } = options
  const lanes = Math.max(...workers)
  let room = memoryBytes * MEMORY_SHARE
  for (const name of engines) room -= PROCESS_BYTES + (findEntry(name).threads === 'one' ? 0 : lanes * LANE_BYTES)
  const each = Math.max(memoryBytes * LEAST_SHARE, room) / engines.length / (RECORD_BYTES + VALUE_COPIES * valueBytes)
  const most = Math.max(LEAST_RECORDS, Math.floor(Math.min(each, MOST_VALUE_BYTES / valueBytes)))
  return { keys, valueBytes, records: Math.min(options.records, most) }
}

export const PLAIN_TASK: Task = {
  workload: 'load',
  lanes: 1,
  count: 0,
  chunks: 1,
  chunk: 0,
  seed: 1,
  sliceSteps: 500,
  limitMs: FOREVER_MS,
  latency: false,
  bulk: false,
  rehearsal: false,
}

/** Where an engine's files go. */
export function baseDirectory(options: Options, entry: Entry): string {
  if (options.directory !== null) return options.directory
  return !entry.durable && existsSync(SHARED_MEMORY) ? SHARED_MEMORY : tmpdir()
}

/** An engine of the run. */
export class Competitor {
  readonly entry: Entry
  readonly records: number
  /** How long an eighth of the loading may take. */
  patienceMs = FOREVER_MS
  /** Why it is out, if it is. */
  out: string | null = null
  /** Steps per second and lane, by workload and workers, as last seen. */
  readonly rates = new Map<string, number>()
  private host = new HostProcess()
  private readonly directory: string
  private readonly startWith: Start
  private supported = new Set<string>()
  private isLoaded = false
  /** Whether it may have more than was loaded. */
  hasMore = false

  constructor(options: Options, name: string, variation: Variation, local = false) {
    running.add(this)
    this.entry = findEntry(name)
    this.records = variation.records
    this.directory = mkdtempSync(join(baseDirectory(options, this.entry), 'heddle-bench-'))
    this.startWith = {
      engine: name,
      local: local || this.entry.threads === 'one',
      keys: variation.keys,
      shuffled: options.keyOrder === 'shuffled',
      keyBytes: keyBytesOf(variation.keys),
      valueBytes: variation.valueBytes,
      records: variation.records,
      memoryBytes: variation.memoryBytes ?? null,
      capacity: Math.ceil(variation.records * ROOM + Math.min(ROOM_RECORDS, variation.records)),
      directory: this.directory,
      mostLanes: Math.max(...options.workers),
    }
  }

  get process(): HostProcess {
    return this.host
  }

  /** Starts it and checks its answers; if that fails, it is out. */
  async start(): Promise<void> {
    try {
      this.out = await this.host.start(this.startWith)
      if (this.out !== null) return
      await this.host.check()
      this.supported = new Set(await this.host.supports(WORKLOADS.map((workload) => workload.name)))
    } catch (error) {
      this.out = messageOf(error)
    }
  }

  /** Starts it anew, empty, if it has ended in the middle of a workload: the next ones need not go without it. */
  async revive(): Promise<void> {
    if (this.out !== null || this.host.isAlive) return
    rmSync(this.directory, { recursive: true, force: true })
    mkdirSync(this.directory)
    this.host = new HostProcess()
    this.isLoaded = false
    this.rates.clear()
    try {
      this.out = await this.host.start(this.startWith)
    } catch (error) {
      this.out = messageOf(error)
    }
  }

  /** Why there is no such figure, or null if there can be one. */
  whyNot(workload: string, workers: number): string | null {
    if (this.out !== null) return this.out
    if (!this.supported.has(workload)) return 'no such operation'
    if (findWorkload(workload).commits !== null && !this.entry.settles) return 'does not wait for the disk'
    if (workers > 1 && this.entry.threads === 'one') return 'one thread only'
    return null
  }

  /** An empty engine, loaded as the task says. */
  async load(task: Task): ReturnType<HostProcess['run']> {
    this.isLoaded = false
    await this.host.reset()
    this.hasMore = false
    const measured = await this.host.run(task)
    this.isLoaded = measured.complete && task.chunks === 1 && task.workload === 'load'
    return measured
  }

  /** Entries that fit beside those that are loaded. */
  get room(): number {
    return this.startWith.capacity - this.records
  }

  /** Has it loaded anew before it is used again, if something was inserted since it was. */
  clear(): void {
    if (this.hasMore) this.isLoaded = false
  }

  /** Loads it, quickly and unmeasured, unless a measured load has just done so. */
  async ensureLoaded(): Promise<void> {
    if (this.isLoaded) return
    await this.fill(false)
    this.isLoaded = true
  }

  /** Goes through the motions of loading it. */
  async rehearse(): Promise<void> {
    await this.fill(true)
  }

  private async fill(rehearsal: boolean): Promise<void> {
    await this.host.reset()
    this.hasMore = false
    // In parts: the keys of all at once would need much memory.
    for (let chunk = 0; chunk < LOAD_CHUNKS; chunk++) {
      const task = { ...PLAIN_TASK, chunks: LOAD_CHUNKS, chunk, bulk: true, rehearsal, limitMs: this.patienceMs }
      const { complete } = await this.host.run(task)
      if (!complete) throw new Error(`loading an eighth of it took more than ${this.patienceMs / 1000} s`)
    }
  }

  /** At once, and its files with it. */
  kill(): void {
    this.host.kill()
    rmSync(this.directory, { recursive: true, force: true })
  }

  async end(): Promise<void> {
    try {
      await this.host.end()
    } catch {
      // Its work is done, or it was given up before.
    }
    rmSync(this.directory, { recursive: true, force: true })
    running.delete(this)
  }
}

const running = new Set<Competitor>()

/** Leaves no process and no file behind. */
export function killAll(): void {
  for (const competitor of running) competitor.kill()
  running.clear()
}

export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return text
    .replace(/^(?:Error: )+/, '')
    .split('\n')[0]
    .slice(0, 200)
}
