/** A process of the growth measurement: one engine, alone with its memory, that does what it is told. */
import { type EngineName, type Kind, type Operation, Subject } from './growth-subject.ts'

export type Request =
  | { what: 'grow'; to: number }
  | { what: 'measure'; operation: Operation; count: number; seed: number }
  | { what: 'footprint' }
  | { what: 'close' }

const [name, kind, most] = process.argv.slice(2) as [EngineName, Kind, string]
await Subject.warmUp(name, kind)
const subject = await Subject.open(name, kind, Number(most))

async function answer(request: Request): Promise<unknown> {
  switch (request.what) {
    case 'grow':
      return subject.grow(request.to)
    case 'measure':
      return subject.measure(request.operation, request.count, request.seed)
    case 'footprint':
      return subject.footprint()
    case 'close':
      return close()
  }
}

let isClosed = false

async function close(): Promise<void> {
  if (isClosed) return
  isClosed = true
  await subject.close()
}

// Should the parent end first, files are still removed.
process.once('disconnect', () => void close())
process.on('message', (request: Request) => {
  void answer(request).then((result) => {
    process.send!(result ?? null)
    if (request.what === 'close') process.disconnect()
  })
})
process.send!('ready')
