/** The lanes of an engine's process: threads, or the process's own thread for an engine that only one can have open. */
import { once } from 'node:events'
import { type Transferable, Worker } from 'node:worker_threads'
import type { Engine, Session, Setting, Shared } from './engines/engine.ts'
import { Lane, type Outcome, type Task } from './lane.ts'
import type { WorkerData, WorkerRequest } from './worker.ts'

/** A lane wherever it runs. */
interface Member {
  attach(engine: Engine, shared: Shared, setting: Setting): Promise<void>
  prepare(task: Task): Promise<void>
  go(): Promise<Outcome>
  detach(): Promise<void>
  end(): Promise<void>
}

class LocalMember implements Member {
  private session: Session | undefined
  private lane: Lane | undefined
  private readonly shuffled: boolean

  constructor(shuffled: boolean) {
    this.shuffled = shuffled
  }

  async attach(engine: Engine, shared: Shared, setting: Setting): Promise<void> {
    this.session = await engine.attach(shared.share().data, setting)
    this.lane = new Lane(this.session, setting, this.shuffled, 0, 1)
  }

  async prepare(task: Task): Promise<void> {
    this.lane!.prepare(task)
  }

  go(): Promise<Outcome> {
    return this.lane!.go()
  }

  async detach(): Promise<void> {
    await this.session!.close()
    this.session = undefined
    this.lane = undefined
  }

  async end(): Promise<void> {}
}

class WorkerMember implements Member {
  private readonly worker: Worker
  private readonly ready: Promise<unknown>

  constructor(data: WorkerData) {
    this.worker = new Worker(new URL('./worker.ts', import.meta.url), {
      workerData: data,
      resourceLimits: { maxOldGenerationSizeMb: 8192 },
    })
    this.ready = this.next()
  }

  private async next(): Promise<unknown> {
    const [reply] = (await once(this.worker, 'message')) as [{ result?: unknown; error?: string }]
    if (reply.error !== undefined) throw new Error(reply.error)
    return reply.result
  }

  private ask(request: WorkerRequest, transfer: Transferable[] = []): Promise<unknown> {
    const reply = this.next()
    this.worker.postMessage(request, transfer)
    return reply
  }

  async attach(_engine: Engine, shared: Shared, setting: Setting): Promise<void> {
    await this.ready
    const { data, transfer } = shared.share()
    await this.ask({ kind: 'attach', setting, data }, transfer)
  }

  async prepare(task: Task): Promise<void> {
    await this.ask({ kind: 'prepare', task })
  }

  async go(): Promise<Outcome> {
    return (await this.ask({ kind: 'go' })) as Outcome
  }

  async detach(): Promise<void> {
    await this.ask({ kind: 'detach' })
  }

  async end(): Promise<void> {
    await this.worker.terminate()
  }
}

export class Crew {
  private readonly members: Member[] = []
  private readonly name: string
  private readonly engine: Engine
  private readonly local: boolean
  private readonly shuffled: boolean
  private readonly most: number
  private shared: Shared | undefined
  private setting: Setting | undefined

  /** @param most lanes that there may ever be */
  constructor(name: string, engine: Engine, local: boolean, shuffled: boolean, most: number) {
    this.name = name
    this.engine = engine
    this.local = local
    this.shuffled = shuffled
    this.most = local ? 1 : most
  }

  async open(setting: Setting): Promise<void> {
    this.setting = setting
    this.shared = await this.engine.open(setting)
    for (const member of this.members) await member.attach(this.engine, this.shared, setting)
  }

  private async have(count: number): Promise<void> {
    while (this.members.length < count) {
      const index = this.members.length
      const data = { engine: this.name, shuffled: this.shuffled, index, lanes: this.most }
      const member = this.local ? new LocalMember(this.shuffled) : new WorkerMember(data)
      this.members.push(member)
      await member.attach(this.engine, this.shared!, this.setting!)
    }
  }

  /** All lanes of the task prepare, then go together. @param started is called in between */
  async run(task: Task, started: () => void): Promise<Outcome[]> {
    await this.have(task.lanes)
    const taking = this.members.slice(0, task.lanes)
    await Promise.all(taking.map((member) => member.prepare(task)))
    started()
    return Promise.all(taking.map((member) => member.go()))
  }

  async close(): Promise<void> {
    for (const member of this.members) await member.detach()
    await this.shared?.close()
    this.shared = undefined
  }

  async end(): Promise<void> {
    for (const member of this.members) await member.end()
  }
}
