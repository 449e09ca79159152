/**
 * A plain Map that one thread owns, behind MessagePorts: how threads share a map without shared memory. Clients have 100
 * operations under way at a time. Variants: `single` sends a message for each operation, `batch` one for all 100.
 */
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import type { Engine, Key, Operation, Session, Shared } from './engine.ts'
import { DELETE, Pending, READ, SET, UPDATE } from './pending.ts'

const BATCH = 100
const DEFERRED: ReadonlySet<Operation> = new Set(['read', 'set', 'delete', 'update'])

interface Request {
  kinds: number[]
  keys: Key[]
  values: (Buffer | undefined)[]
}

type Answer = (Uint8Array | undefined)[]

/** The owner's side: does what a message asks and answers with what it read. */
function serve(map: Map<Key, Uint8Array>, request: Request): Answer {
  const answer: Answer = []
  for (let i = 0; i < request.kinds.length; i++) {
    const kind = request.kinds[i]
    const key = request.keys[i]
    if (kind === READ || kind === UPDATE) answer.push(map.get(key))
    if (kind === DELETE) map.delete(key)
    else if (kind !== READ) map.set(key, request.values[i]!)
  }
  return answer
}

class PortSession implements Session<Buffer> {
  readonly deferred = DEFERRED
  readonly batch = BATCH
  entries = 0
  readBytes = 0
  private readonly port: MessagePort
  private readonly together: boolean
  private readonly pending = new Pending<Buffer | undefined>(BATCH)
  private awaited = 0
  private last: Uint8Array | undefined
  private arrived: () => void = () => undefined

  constructor(port: MessagePort, together: boolean) {
    this.port = port
    this.together = together
    port.on('message', (answer: Answer) => {
      for (const value of answer) {
        this.readBytes += value?.length ?? 0
        this.last = value
      }
      if (--this.awaited === 0) this.arrived()
    })
  }

  /** A small Buffer may be part of a slab, and a message would carry all of that. */
  prepare(value: Buffer): Buffer {
    return Buffer.from(new Uint8Array(value).buffer)
  }

  read(key: Key): number {
    this.pending.add(READ, key, undefined)
    return 0
  }

  set(key: Key, value: Buffer): void {
    this.pending.add(SET, key, value)
  }

  delete(key: Key): void {
    this.pending.add(DELETE, key, undefined)
  }

  update(key: Key, value: Buffer): void {
    this.pending.add(UPDATE, key, value)
  }

  private post(from: number, to: number): void {
    const request: Request = { kinds: [], keys: [], values: [] }
    for (let i = from; i < to; i++) {
      request.kinds.push(this.pending.kinds[i])
      request.keys.push(this.pending.keys[i])
      request.values.push(this.pending.values[i])
    }
    this.awaited++
    this.port.postMessage(request)
  }

  flush(): Promise<void> | void {
    const { count } = this.pending
    if (count === 0) return
    const all = new Promise<void>((resolve) => {
      this.arrived = resolve
    })
    if (this.together) this.post(0, count)
    else for (let i = 0; i < count; i++) this.post(i, i + 1)
    this.pending.count = 0
    return all
  }

  async lookup(key: Key): Promise<Buffer | undefined> {
    this.read(key)
    await this.flush()
    return this.last === undefined ? undefined : Buffer.from(this.last)
  }

  close(): void {
    this.port.close()
  }
}

export function create(variant: string): Engine {
  return {
    refusal: (setting) => (setting.keys === 'binary' ? 'a Map compares buffers by identity' : undefined),
    open(): Shared {
      const map = new Map<Key, Uint8Array>()
      const share = () => {
        const { port1, port2 } = new MessageChannel()
        port1.on('message', (request: Request) => port1.postMessage(serve(map, request)))
        return { data: port2, transfer: [port2] }
      }
      return { share, close: () => map.clear() }
    },
    attach: (data) => new PortSession(data as MessagePort, variant === 'batch'),
  }
}
