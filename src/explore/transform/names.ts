/** The names that rewritten code uses; the source may not use them itself. */

/** What is imported from the runtime module, without the dollar sign. */
export const HELPERS = [
  'pre',
  'exec',
  'direct',
  'wait',
  'rd',
  'wr',
  'upd',
  'ref',
  'at',
  'lp',
  'm',
  'sites',
  'c',
  'is',
  'run',
  'got',
  'left',
  'later',
  'plain',
  'inc',
  'iter',
  'token',
  'delegate',
  'collect',
  'open',
  'close',
  'hof',
  'async',
] as const

export type Helper = (typeof HELPERS)[number]

const RESERVED = new Set<string>(['$rt', '$s', '$e', '$g', '$p', ...HELPERS.map((name) => `$${name}`)])

/** Whether a variable of the source would clash with one that the transform adds. */
export function isReserved(name: string): boolean {
  return RESERVED.has(name) || /^\$[tlp]\d+$/.test(name) || isReservedKey(name)
}

/** Whether a property of the source would clash with one that the transform adds. */
export function isReservedKey(name: string): boolean {
  return /^\$g\d*_/.test(name)
}

/** Methods that call a function they are given once per element; the position of that function. */
const CALLBACK_METHODS: Readonly<Record<string, number>> = {
  forEach: 0,
  map: 0,
  filter: 0,
  reduce: 0,
  reduceRight: 0,
  some: 0,
  every: 0,
  find: 0,
  findIndex: 0,
  findLast: 0,
  findLastIndex: 0,
  flatMap: 0,
  sort: 0,
  toSorted: 0,
  from: 1,
  replace: 1,
  replaceAll: 1,
}

/** The position of the callback among the arguments, or -1 if the method has none. */
export function callbackOf(method: string | undefined): number {
  return method !== undefined && Object.hasOwn(CALLBACK_METHODS, method) ? CALLBACK_METHODS[method]! : -1
}

const BULK = new Set([
  ...['set', 'slice', 'fill', 'copyWithin', 'at', 'with', 'indexOf', 'lastIndexOf', 'includes', 'sort', 'toSorted'],
  ...['reverse', 'toReversed', 'join', 'toString', 'copy', 'equals', 'compare', 'write', 'decode', 'forEach', 'map'],
  ...['filter', 'reduce', 'reduceRight', 'some', 'every', 'find', 'findIndex', 'findLast', 'findLastIndex'],
])

/** Whether a method of that name may read or write many elements at once. */
export function isBulk(method: string): boolean {
  return BULK.has(method) || /^(?:get|set)(?:Big)?(?:Ui|I)nt\d+$|^[gs]etFloat\d+$/.test(method) || isBuffer(method)
}

const CHANGING = new Set([
  ...['push', 'pop', 'shift', 'unshift', 'splice', 'sort', 'reverse', 'fill', 'copyWithin'],
  ...['set', 'add', 'delete', 'clear', 'next', 'append', 'exec', 'test'],
])

/** Whether a built-in method of that name changes its object, so that a loop which calls it does not repeat itself. */
export function changesObject(method: string): boolean {
  return CHANGING.has(method)
}

/** Buffer.readInt32LE, writeDoubleBE, latin1Slice, utf8Write and the like. */
function isBuffer(method: string): boolean {
  return (
    /^(?:read|write)(?:Big)?(?:U?[Ii]nt|Float|Double)(?:\d+)?(?:LE|BE)?$/.test(method) ||
    /^(?:ascii|base64|base64url|latin1|hex|ucs2|utf8)(?:Slice|Write)$/.test(method)
  )
}
