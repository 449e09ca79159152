/** The operations on shared words that are scheduling points. */
import { isKey } from './captures.ts'
import { isReserved, isReservedKey } from './names.ts'
import type { Source } from './source.ts'
import { memberName, type Node } from './syntax.ts'

const OPERATIONS: Readonly<Record<string, number>> = {
  load: 1,
  store: 2,
  compareExchange: 3,
  add: 4,
  sub: 5,
  and: 6,
  or: 7,
  xor: 8,
  exchange: 9,
  wait: 10,
  notify: 11,
  waitAsync: 12,
}

/** Functions of Atomics that touch no shared word. */
const HARMLESS = new Set(['isLockFree', 'pause'])

function isGlobal(source: Source, node: Node, name: string): boolean {
  return node.type === 'Identifier' && node.name === name && source.resolve(node) === undefined
}

/** The code of the operation that a call performs, or 0 if it is no event. */
export function operationOf(source: Source, call: Node): number {
  const { callee } = call
  if (callee.type !== 'MemberExpression' || callee.computed || callee.optional || call.optional) return 0
  if (!isGlobal(source, callee.object, 'Atomics')) return 0
  const name = callee.property.name
  return Object.hasOwn(OPERATIONS, name) ? OPERATIONS[name]! : 0
}

/**
 * Refuses what the transform cannot see through: Atomics other than in `Atomics.name(…)`, and code made from text.
 * @throws Failure 'unsupported' naming the place
 */
export function refuseHidden(source: Source, node: Node): void {
  if (node.type === 'MemberExpression' && memberName(node) === 'Atomics') {
    source.refuse(node, 'Atomics can be explored only when written as Atomics.name(…)')
  }
  if (node.type === 'WithStatement') source.refuse(node, 'with statements cannot be explored')
  if (node.type === 'Identifier' && (isKey(source, node) ? isReservedKey(node.name) : isReserved(node.name))) {
    source.refuse(node, `the name ${node.name} is reserved for the explorer`)
  }
  if (node.type === 'CallExpression' && isGlobal(source, node.callee, 'eval')) {
    source.refuse(node, 'eval cannot be explored')
  }
  if ((node.type === 'NewExpression' || node.type === 'CallExpression') && isGlobal(source, node.callee, 'Function')) {
    source.refuse(node, 'functions made from text cannot be explored')
  }
  if (isGlobal(source, node, 'Atomics')) refuseAtomics(source, node)
}

function refuseAtomics(source: Source, node: Node): void {
  const parent = source.parentOf(node)!
  const refuse = () => source.refuse(node, 'Atomics can be explored only when written as Atomics.name(…)')
  if (parent.type === 'UnaryExpression' && parent.operator === 'typeof') return
  const isKey = (parent.type === 'Property' || parent.type === 'MethodDefinition') && parent.key === node
  if (isKey && !parent.shorthand && !parent.computed) return
  if (parent.type === 'MemberExpression' && parent.property === node && !parent.computed) return
  if (parent.type !== 'MemberExpression' || parent.object !== node) return refuse()
  const name = memberName(parent)
  if (name === undefined) return refuse()
  if (HARMLESS.has(name)) return
  const user = source.parentOf(parent)!
  if (user.type === 'UnaryExpression' && user.operator === 'typeof') return
  if (!Object.hasOwn(OPERATIONS, name)) return
  if (user.type !== 'CallExpression' || user.callee !== parent || operationOf(source, user) === 0) refuse()
}
