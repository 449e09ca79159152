/** Whether an engine answers right, before anybody asks how fast. */
import { rmSync } from 'node:fs'
import type { Engine, Key, Session, Setting } from './engines/engine.ts'
import { keyMaker } from './workloads/keys.ts'
import { Random } from './workloads/random.ts'

const KEYS = 400
const STEPS = 4000
/** Values are not written for longer than this. */
const MOST_BYTES = 2 ** 26
const STEPS_A_FLUSH = 50

/** What an engine must agree with: a Map whose keys are names that tell equal keys apart from others. */
class Model {
  readonly values = new Map<string, Buffer>()
  readonly keys = new Map<string, Key>()

  name(key: Key): string {
    return Buffer.isBuffer(key) ? key.toString('hex') : String(key)
  }

  set(key: Key, value: Buffer): void {
    this.values.set(this.name(key), value)
    this.keys.set(this.name(key), key)
  }

  delete(key: Key): void {
    this.values.delete(this.name(key))
    this.keys.delete(this.name(key))
  }

  /** Keys in order: bytes, numbers, or ASCII strings. */
  sorted(): Key[] {
    return [...this.keys.values()].sort((a, b) => {
      if (typeof a === 'number') return a - (b as number)
      if (typeof a === 'string') return a < (b as string) ? -1 : 1
      return Buffer.compare(a, b as Buffer)
    })
  }
}

function fail(what: string, key?: Key): never {
  throw new Error(`wrong answer: ${what}${key === undefined ? '' : ` for ${String(key)}`}`)
}

async function checkValue(session: Session, model: Model, key: Key, target: Buffer): Promise<void> {
  const found = await session.lookup(key)
  const expected = model.values.get(model.name(key))
  if ((found === undefined) !== (expected === undefined)) fail(found === undefined ? 'nothing' : 'something', key)
  if (expected === undefined) return
  if (Buffer.compare(Buffer.from(found!), expected) !== 0) fail('another value', key)
  const length = session.read(key)
  await session.flush?.()
  if (!session.deferred.has('read') && length !== expected.length) fail('a wrong length', key)
  if (session.readInto !== undefined && session.readInto(key, target) !== expected.length) fail('a wrong length', key)
}

async function checkOrder(session: Session, model: Model, random: Random): Promise<void> {
  if (session.list === undefined) return
  const sorted = model.sorted()
  const all = await session.list(undefined, sorted.length + 10)
  if (all.length !== sorted.length) fail(`${all.length} entries instead of ${sorted.length}`)
  for (let i = 0; i < all.length; i++) {
    const [key, value] = all[i]
    if (model.name(key) !== model.name(sorted[i])) fail('keys out of order', key)
    if (Buffer.compare(value, model.values.get(model.name(key))!) !== 0) fail('another value in a scan', key)
  }
  for (let i = 0; i < 20 && sorted.length > 0; i++) {
    const from = random.below(sorted.length)
    const limit = 1 + random.below(60)
    const expected = sorted.slice(from, from + limit)
    const found = await session.list(sorted[from], limit)
    if (found.length !== expected.length) fail('a range of another length', sorted[from])
    for (let j = 0; j < found.length; j++) {
      if (model.name(found[j][0]) !== model.name(expected[j])) fail('a range of other keys', found[j][0])
    }
    const before = session.entries
    session.scan!(sorted[from], limit)
    await session.flush?.()
    if (session.entries - before !== expected.length) fail('a scan of another length', sorted[from])
  }
}

/** Whether another session of the engine sees the same. */
async function checkOther(other: Session, model: Model, keyOf: (index: number) => Key): Promise<void> {
  // What is deferred may be nothing, but it may also be how it gets to see what others wrote.
  await other.flush?.()
  for (let i = 0; i < KEYS; i++) {
    const found = await other.lookup(keyOf(i))
    const expected = model.values.get(model.name(keyOf(i)))
    if (expected === undefined ? found !== undefined : found === undefined || Buffer.compare(found, expected) !== 0) {
      fail('another session sees something else', keyOf(i))
    }
  }
  await other.close()
}

/**
 * Some thousands of random operations against a model.
 * @param many whether several sessions can be open
 * @throws Error that says what was wrong
 */
export async function checkAnswers(engine: Engine, setting: Setting, many: boolean): Promise<null> {
  const shared = await engine.open(setting)
  const session = await engine.attach(shared.share().data, setting)
  const random = new Random(20_240)
  const keyOf = keyMaker(setting.keys, false)
  const model = new Model()
  const target = Buffer.alloc(setting.valueBytes)
  const steps = Math.min(STEPS, Math.max(5 * STEPS_A_FLUSH, Math.floor(MOST_BYTES / setting.valueBytes)))
  for (let step = 0; step < steps; step++) {
    const key = keyOf(random.below(KEYS))
    const value = Buffer.alloc(setting.valueBytes, `${step}.`, 'latin1')
    const drawn = random.next()
    if (drawn < 0.25 && session.delete !== undefined) {
      session.delete(key)
      model.delete(key)
    } else if (drawn < 0.4 && session.update !== undefined) {
      session.update(key, session.prepare(value))
      model.set(key, value)
    } else {
      session.set(key, session.prepare(value))
      model.set(key, value)
    }
    if ((step + 1) % STEPS_A_FLUSH !== 0) continue
    await session.flush?.()
    await checkValue(session, model, key, target)
    await checkValue(session, model, keyOf(random.below(KEYS)), target)
  }
  await session.flush?.()
  for (let i = 0; i < KEYS; i++) await checkValue(session, model, keyOf(i), target)
  await checkOrder(session, model, random)
  if (many) await checkOther(await engine.attach(shared.share().data, setting), model, keyOf)
  await session.close()
  await shared.close()
  rmSync(setting.directory, { recursive: true, force: true })
  return null
}
