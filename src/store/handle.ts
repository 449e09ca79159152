/** The token by which a store goes from thread to thread. */
import { HeddleError } from '../memory/error.ts'
import type { CustomCodec, KeyCodecName, KeyCodecOption, ValueCodecName, ValueCodecOption } from './codec.ts'

/** Structured-cloneable. Treat it as opaque: pass it on by workerData or postMessage, and `attach` it. */
export interface StoreHandle {
  readonly heddle: 1
  readonly buffer: SharedArrayBuffer
  readonly keys: KeyCodecName | 'custom'
  readonly values: ValueCodecName | 'custom'
  /** Of a durable store. */
  readonly directory?: string
}

/** How a codec is named where it cannot be passed on. */
export function codecName<N extends ValueCodecName>(codec: N | CustomCodec<unknown>): N | 'custom' {
  return typeof codec === 'string' ? codec : 'custom'
}

export function makeHandle(
  buffer: SharedArrayBuffer,
  keys: KeyCodecOption,
  values: ValueCodecOption,
  directory?: string,
): StoreHandle {
  const handle = { heddle: 1, buffer, keys: codecName(keys), values: codecName(values) } as const
  return directory === undefined ? handle : { ...handle, directory }
}

/** @throws HeddleError HEDDLE_BAD_HANDLE */
export function checkHandle(handle: unknown): StoreHandle {
  const given = handle as Partial<StoreHandle> | null | undefined
  if (typeof given === 'object' && given !== null && given.heddle === 1 && given.buffer instanceof SharedArrayBuffer) {
    return given as StoreHandle
  }
  throw new HeddleError(
    'HEDDLE_BAD_HANDLE',
    'attach takes the `handle` of a store, passed on as it is (workerData, postMessage)',
  )
}
