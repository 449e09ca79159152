/** The runner's side of an engine's process. */
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { HostRequest, Measured, Resident, Start } from './engine-host.ts'
import type { Task } from './lane.ts'
import { MEASURES_SOURCES } from './modules.ts'

/** What lets a process, and its threads, run the sources. */
export const LOADER: string = new URL('../test/support/register-tsx.mjs', import.meta.url).href
const HOST = fileURLToPath(new URL('./engine-host.ts', import.meta.url))
const HEAP_MIB = 12_288
/** The sources pass the flags of their process on to their threads, which do not take these. */
const FLAGS = MEASURES_SOURCES ? [] : ['--expose-gc', `--max-old-space-size=${HEAP_MIB}`]
const ERROR_LINES = 3

interface Reply {
  result?: unknown
  error?: string
}

export class HostProcess {
  private readonly child: ChildProcess
  private errors = ''
  private gone: string | undefined
  private waiting: ((reply: Reply) => void) | undefined

  constructor() {
    this.child = fork(HOST, {
      execArgv: ['--import', LOADER, ...FLAGS],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    this.child.stderr!.on('data', (chunk: Buffer) => {
      this.errors = (this.errors + chunk.toString()).slice(-4000)
    })
    this.child.on('message', (reply: Reply) => this.settle(reply))
    this.child.on('exit', (code, signal) => {
      this.gone = `its process ended (${signal ?? code}) ${this.errors.trim().split('\n').slice(-ERROR_LINES).join(' ')}`
      this.settle({ error: this.gone })
    })
  }

  /** Whether it can be asked. */
  get isAlive(): boolean {
    return this.gone === undefined && !this.child.killed
  }

  private settle(reply: Reply): void {
    const { waiting } = this
    this.waiting = undefined
    waiting?.(reply)
  }

  /** One request at a time. A process that does not answer within the limit is ended. */
  private async ask(request: HostRequest, limitMs: number): Promise<unknown> {
    if (this.gone !== undefined) throw new Error(this.gone)
    let timer: NodeJS.Timeout | undefined
    const reply = await new Promise<Reply>((resolve) => {
      this.waiting = resolve
      timer = setTimeout(() => {
        this.child.kill('SIGKILL')
        resolve({ error: `no answer to ${request.kind} in ${Math.round(limitMs / 1000)} s` })
      }, limitMs)
      this.child.send(request)
    })
    clearTimeout(timer)
    if (reply.error !== undefined) throw new Error(reply.error)
    return reply.result
  }

  /** @returns why the engine cannot do this, or null */
  async start(start: Start): Promise<string | null> {
    return (await this.ask({ kind: 'start', start }, 120_000)) as string | null
  }

  async check(): Promise<void> {
    await this.ask({ kind: 'check' }, 120_000)
  }

  /** Those of the workloads that the engine has the operations for. */
  async supports(workloads: readonly string[]): Promise<string[]> {
    return (await this.ask({ kind: 'supports', workloads }, 60_000)) as string[]
  }

  async reset(): Promise<void> {
    await this.ask({ kind: 'reset' }, 120_000)
  }

  async run(task: Task): Promise<Measured> {
    return (await this.ask({ kind: 'run', task }, 60_000 + 3 * task.limitMs)) as Measured
  }

  async resident(): Promise<Resident> {
    return (await this.ask({ kind: 'resident' }, 120_000)) as Resident
  }

  /** At once, whatever it is doing. */
  kill(): void {
    this.child.kill('SIGKILL')
  }

  async end(): Promise<void> {
    if (this.gone !== undefined) return
    try {
      await this.ask({ kind: 'end' }, 10_000)
    } finally {
      this.child.kill('SIGKILL')
    }
  }
}
