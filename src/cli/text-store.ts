import { attach, HeddleError, open, type OpenOptions, type Store, type StoreHandle } from '../store/index.ts'

/** Both programs keep everything as text: the store's default codecs. */
export type TextStore = Store<string, string>

export function openText(options: Omit<OpenOptions, 'keys' | 'values'>): TextStore {
  return open({ ...options, keys: 'utf8', values: 'utf8' })
}

export function attachText(handle: StoreHandle): TextStore {
  return attach<string, string>(handle)
}

/** Also for an error that comes from a worker: it has lost its class on the way, but not its code. */
export function isFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'HEDDLE_FULL'
}

export function isBadOption(error: unknown): error is HeddleError {
  return error instanceof HeddleError && error.code === 'HEDDLE_INVALID_OPTION'
}
