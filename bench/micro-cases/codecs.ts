/** What the built-in codecs take to get keys and values into shared memory and out of it again. */
import { isDeepStrictEqual } from 'node:util'
import type { KeyCodecName, ValueCodecName } from '../../src/store/codec.ts'
import { drawIndices, numberOf } from '../draws.ts'
import { KEY_BYTES, VALUE_BYTES, keyOf } from '../load.ts'
import type { loadModule } from '../modules.ts'
import { type Case, type CaseMaker, must } from './case.ts'

export interface CodecKit {
  readonly codec: Awaited<ReturnType<typeof loadModule<'store/codec'>>>
  readonly raw: Awaited<ReturnType<typeof loadModule<'store/raw-buffer'>>>
  readonly key: Awaited<ReturnType<typeof loadModule<'tree/key'>>>
}

const BATCH = 1000
/** Bytes from one encoded thing to the next: room for each of the samples, and whole words, as in a record. */
const STRIDE_BYTES = 256

const keySamples: Readonly<Record<KeyCodecName, (i: number) => unknown>> = {
  utf8: keyOf,
  binary: (i) => Buffer.from(keyOf(i), 'latin1'),
  number: numberOf,
}

const valueSamples: Readonly<Record<ValueCodecName, (i: number) => unknown>> = {
  utf8: (i) => keyOf(i).padEnd(VALUE_BYTES, 'v'),
  binary: (i) => Buffer.from(keyOf(i).padEnd(VALUE_BYTES, 'v'), 'latin1'),
  number: (i) => numberOf(i) / 7,
  json: (i) => ({ id: i, name: keyOf(i), tags: ['one', 'two'], score: i / 8, active: i % 2 === 0 }),
}

function samples(make: (i: number) => unknown): unknown[] {
  return Array.from(drawIndices(BATCH, 7, 1_000_000), make)
}

/** Whether what came out is what went in: one of them looked at each time, and forgotten, so that the next one is new. */
function isSame(out: unknown[], expected: readonly unknown[]): boolean {
  const i = Math.floor(Math.random() * BATCH)
  const same = isDeepStrictEqual(out[i], expected[i])
  out[i] = null
  return same
}

function keyIn(kit: CodecKit, name: KeyCodecName): Case {
  const codec = kit.codec.keyCodec(name)
  const into = new kit.key.KeyBuffer()
  const keys = samples(keySamples[name])
  let bytes = 0
  return {
    operations: BATCH,
    run() {
      bytes = 0
      for (const key of keys) {
        codec.encode(key, into)
        bytes += into.length
      }
    },
    check: () => must(bytes === BATCH * (name === 'number' ? 8 : KEY_BYTES), 'encodings of keys'),
  }
}

function keyOut(kit: CodecKit, name: KeyCodecName): Case {
  const codec = kit.codec.keyCodec(name)
  const into = new kit.key.KeyBuffer()
  const keys = samples(keySamples[name])
  const shared = kit.raw.rawBuffer(new SharedArrayBuffer(BATCH * STRIDE_BYTES))
  for (let i = 0; i < BATCH; i++) {
    codec.encode(keys[i], into)
    shared.set(into.bytes.subarray(0, into.length), i * STRIDE_BYTES)
  }
  const { length } = into
  const out: unknown[] = new Array(BATCH).fill(null)
  return {
    operations: BATCH,
    run() {
      for (let i = 0; i < BATCH; i++) out[i] = codec.finish(codec.read(shared, i * STRIDE_BYTES, length))
    },
    check: () => must(isSame(out, keys), 'decodings of keys'),
  }
}

function valueIn(kit: CodecKit, name: ValueCodecName): Case {
  const codec = kit.codec.valueCodec(name)
  const values = samples(valueSamples[name])
  const shared = kit.raw.rawBuffer(new SharedArrayBuffer(BATCH * STRIDE_BYTES))
  let bytes = 0
  return {
    operations: BATCH,
    run() {
      bytes = 0
      for (let i = 0; i < BATCH; i++)
        bytes += codec.write(codec.stage(values[i]), shared, i * STRIDE_BYTES, STRIDE_BYTES)
    },
    check: () => must(bytes >= BATCH * 8, 'encodings of values'),
  }
}

function valueOut(kit: CodecKit, name: ValueCodecName): Case {
  const codec = kit.codec.valueCodec(name)
  const values = samples(valueSamples[name])
  const memory = new SharedArrayBuffer(BATCH * STRIDE_BYTES)
  const shared = kit.raw.rawBuffer(memory)
  const copier = new kit.raw.Copier(shared, new Int32Array(memory))
  const lengths = values.map((value, i) => codec.write(codec.stage(value), shared, i * STRIDE_BYTES, STRIDE_BYTES))
  const out: unknown[] = new Array(BATCH).fill(null)
  return {
    operations: BATCH,
    run() {
      for (let i = 0; i < BATCH; i++) {
        out[i] = codec.finish(codec.read(shared, i * STRIDE_BYTES, lengths[i], true, copier))
      }
    },
    check: () => must(isSame(out, values), 'decodings of values'),
  }
}

/** In and out of each built-in codec: keys of 16 bytes or numbers, values of 100 bytes, numbers, or a small object. */
export function codecCases(kit: CodecKit): CaseMaker[] {
  const makers: CaseMaker[] = []
  for (const name of Object.keys(keySamples) as KeyCodecName[]) {
    makers.push({ name: `codec key ${name} in`, make: () => keyIn(kit, name) })
    makers.push({ name: `codec key ${name} out`, make: () => keyOut(kit, name) })
  }
  for (const name of Object.keys(valueSamples) as ValueCodecName[]) {
    makers.push({ name: `codec value ${name} in`, make: () => valueIn(kit, name) })
    makers.push({ name: `codec value ${name} out`, make: () => valueOut(kit, name) })
  }
  return makers
}
