/** Assignments: to elements, to setters, and the marks of those that others can see. */
import { group, type Emitter } from './emitter.ts'
import type { Rope } from './rope.ts'
import { bind, hasEffect, isHotPattern, takeElements } from './rewrite-patterns.ts'
import { bare, isElement, memberName, type Node } from './syntax.ts'

/** The operator of a compound assignment without its equals sign, or undefined if it assigns conditionally or simply. */
function arithmetic(operator: string): string | undefined {
  if (operator === '=' || isLogical(operator)) return undefined
  return operator.slice(0, -1)
}

function isLogical(operator: string): boolean {
  return operator === '&&=' || operator === '||=' || operator === '??='
}

export function rewriteAssignment(emitter: Emitter, node: Node): Rope | undefined {
  const target = bare(node.left)
  if (isElement(target)) return element(emitter, node, target)
  if (target.type === 'MemberExpression') return property(emitter, node, target)
  if (target.type === 'Identifier') {
    if (!emitter.source.isOuter(target)) return undefined
    return emitter.copy(node, new Map([[node.right, emitter.effect(emitter.emit(node.right))]]))
  }
  return pattern(emitter, node, target)
}

function element(emitter: Emitter, node: Node, target: Node): Rope {
  const wr = `${emitter.helper('wr')}(${emitter.site(node)}, `
  const object = emitter.emit(target.object)
  const key = emitter.emit(target.property)
  if (node.operator === '=') {
    return [emitter.place(node), wr, object, ', ', sole(target.property, key), ', ', emitter.emit(node.right), ')']
  }
  const o = emitter.temp()
  const k = emitter.temp()
  const read = `${emitter.helper('rd')}(${emitter.site(node)}, `
  const right = group(node.right, emitter.emit(node.right))
  const operator = arithmetic(node.operator)
  if (operator !== undefined) {
    const evaluated: Rope = [`${o} = `, object, `, ${k} = `, sole(target.property, key)]
    return [emitter.place(node), wr, evaluated, `, ${read}${o}, ${k}) ${operator} `, right, ')']
  }
  const first: Rope = [read, `${o} = `, object, `, ${k} = `, sole(target.property, key), ')']
  return [emitter.place(node), '(', first, ` ${node.operator.slice(0, -1)} ${wr}${o}, ${k}, `, right, '))']
}

/** Code as one argument of a call. */
function sole(node: Node, rope: Rope): Rope {
  return node.type === 'SequenceExpression' ? ['(', rope, ')'] : rope
}

function property(emitter: Emitter, node: Node, target: Node): Rope {
  const name = memberName(target)
  const { colours } = emitter
  const writes = colours.writes(name)
  const reads = node.operator !== '=' && colours.reads(name)
  if (emitter.isCoroutine && (writes || reads)) return accessor(emitter, node, target, reads, writes)
  const value = emitter.effect(emitter.emit(node.right))
  return [emitter.copy(target), ` ${node.operator} `, value]
}

/** The object of a member expression that is evaluated once but used twice: code that does so, and code of its value. */
function holder(emitter: Emitter, target: Node): { first: Rope; again: Rope } {
  const { object } = target
  if (object.type === 'Super' || object.type === 'ThisExpression') {
    const same = { start: object.start, end: object.end }
    return { first: '', again: same }
  }
  const temp = emitter.temp()
  return { first: [`${temp} = `, group(object, emitter.emit(object)), ', '], again: temp }
}

/** `.name` or `['name']`, as in the source. */
function rest(target: Node): Rope {
  return { start: target.object.end, end: target.end }
}

function accessor(emitter: Emitter, node: Node, target: Node, reads: boolean, writes: boolean): Rope {
  const value = emitter.temp()
  const { first, again } = holder(emitter, target)
  const member: Rope = [again, rest(target)]
  const right = () => group(node.right, emitter.emit(node.right))
  const left = () => (writes ? emitter.runLeft() : '')
  if (node.operator === '=') {
    return ['(', first, member, ` = ${value} = `, emitter.effect(right()), ', ', left(), `${value})`]
  }
  const old = reads ? emitter.run(target, member) : member
  const operator = arithmetic(node.operator)
  if (operator !== undefined) {
    const sum: Rope = [`${value} = `, old, ` ${operator} `, right()]
    return ['(', first, sum, ', ', member, ' = ', emitter.effect(value), ', ', left(), `${value})`]
  }
  const assigned: Rope = ['(', member, ` = ${value} = `, emitter.effect(right()), ', ', left(), `${value})`]
  return ['(', first, old, ` ${node.operator.slice(0, -1)} `, assigned, ')']
}

function pattern(emitter: Emitter, node: Node, target: Node): Rope {
  const value = hasEffect(emitter, target) ? emitter.effect(emitter.emit(node.right)) : emitter.emit(node.right)
  if (!isHotPattern(emitter, target)) {
    const left = emitter.emit(target)
    return [left, ' = ', takeElements(emitter, target, value)]
  }
  const given = emitter.temp()
  const made = bind(emitter, target, given, (to, from) => ['(', to, ' = ', from, '), '])
  return [`(${given} = `, value, ', ', made, `${given})`]
}

export function rewriteUpdate(emitter: Emitter, node: Node): Rope | undefined {
  const target = bare(node.argument!)
  const delta = node.operator === '++' ? '1' : '-1'
  if (isElement(target)) {
    const call = `${emitter.helper('upd')}(${emitter.site(node)}, `
    const key = sole(target.property, emitter.emit(target.property))
    return [emitter.place(node), call, emitter.emit(target.object), ', ', key, `, ${delta}, ${String(node.prefix)})`]
  }
  if (target.type === 'Identifier') {
    return emitter.source.isOuter(target) ? mark(emitter, node, emitter.copy(node)) : undefined
  }
  const name = memberName(target)
  const reads = emitter.colours.reads(name)
  const writes = emitter.colours.writes(name)
  if (!emitter.isCoroutine || (!reads && !writes)) {
    return mark(emitter, node, emitter.copy(node, new Map([[target, emitter.copy(target)]])))
  }
  const { first, again } = holder(emitter, target)
  const member: Rope = [again, rest(target)]
  const old = emitter.temp()
  const next = emitter.temp()
  const read = reads ? emitter.run(target, member) : member
  const inc = emitter.helper('inc')
  const before: Rope = [`${old} = ${inc}(`, read, `, 0), `]
  const after: Rope = [member, ` = ${next} = `, emitter.effect(`${inc}(${old}, ${delta})`), ', ']
  return ['(', first, before, after, writes ? emitter.runLeft() : '', `${node.prefix ? next : old})`]
}

function mark(emitter: Emitter, node: Node, rope: Rope): Rope {
  return emitter.frame.kind === 'module' ? rope : [emitter.place(node), `(${emitter.helper('m')}(), `, rope, ')']
}
