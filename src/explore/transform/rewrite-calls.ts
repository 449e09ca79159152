/** Calls: steps on shared words, functions that are coroutines, constructors, and methods that call back. */
import { operationOf } from './atomics.ts'
import { join, type Emitter } from './emitter.ts'
import { changesObject, isBulk } from './names.ts'
import { chainCall } from './rewrite-chains.ts'
import type { Rope } from './rope.ts'
import { bare, memberName, type Node } from './syntax.ts'

const WAIT = 10

/** The arguments of a call or construction. Those that are iterated over are collected first. */
export function callArguments(emitter: Emitter, node: Node): Rope {
  const ropes = node.arguments.map((argument) => emitter.emit(argument))
  if (emitter.isCoroutine && emitter.colours.consumes(emitter.source, node)) {
    ropes[0] = emitter.run(node, [`${emitter.helper('collect')}(`, ropes[0]!, ', Infinity)'])
  }
  return join(ropes)
}

/** The access to a member, after the code of its object. */
export function access(emitter: Emitter, member: Node): Rope {
  const { property } = member
  if (member.computed) return ['[', emitter.emit(property), ']']
  return ['.', { start: property.start, end: property.end }]
}

/** A step on a shared word. */
export function stepOf(emitter: Emitter, node: Node, operation: number): Rope {
  const site = emitter.site(node)
  const args = callArguments(emitter, node)
  if (!emitter.isCoroutine) {
    return [emitter.place(node), `${emitter.helper('direct')}(${site}, ${operation}, `, args, ')']
  }
  emitter.frame.yields = true
  if (operation === WAIT) return [emitter.place(node), `(yield* ${emitter.helper('wait')}(${site}, `, args, '))']
  const pre = `(${emitter.helper('pre')}(${site}, ${operation}, `
  return [emitter.place(node), pre, args, `) && (yield), ${emitter.helper('exec')}())`]
}

/** A call of a member, given the code of the object. */
export function memberCall(emitter: Emitter, node: Node, member: Node, object: Rope): Rope {
  const { colours, source } = emitter
  const name = memberName(member)
  const isSuper = member.object.type === 'Super'
  const receiver = isSuper || name === undefined ? object : markedReceiver(emitter, node, name, object)
  const args = callArguments(emitter, node)
  if (emitter.isCoroutine && colours.passesCallback(source, node)) {
    const rest: Rope = node.arguments.length === 0 ? '' : [', ', args]
    return emitter.run(node, [`${emitter.helper('hof')}(`, receiver, `, ${JSON.stringify(name)}`, rest, ')'])
  }
  if (emitter.isCoroutine && colours.reads(name)) {
    const self = isSuper ? 'this' : emitter.temp()
    const method = emitter.temp()
    const first: Rope = isSuper ? '' : [`${self} = `, receiver, ', ']
    const read = emitter.run(member, [isSuper ? receiver : self, access(emitter, member)])
    const call: Rope = [`${method}.call(${self}, `, args, ')']
    return ['(', first, `${method} = `, read, ', ', emitter.run(node, call), ')']
  }
  const call: Rope = [receiver, access(emitter, member), '(', args, ')']
  return colours.mayCall(source, node) ? emitter.run(node, call) : call
}

/** A call of anything but a member, given the code of what is called. */
export function simpleCall(emitter: Emitter, node: Node, callee: Rope): Rope {
  const call: Rope = [callee, '(', callArguments(emitter, node), ')']
  return emitter.colours.mayCall(emitter.source, node) ? emitter.run(node, call) : call
}

/** The object of a call, noting what a built-in method of that name would do to it. */
function markedReceiver(emitter: Emitter, node: Node, name: string, object: Rope): Rope {
  const marked: Rope = changesObject(name) ? emitter.effect(object) : object
  return isBulk(name) ? [`${emitter.helper('at')}(${emitter.site(node)}, `, marked, ')'] : marked
}

export function rewriteCall(emitter: Emitter, node: Node): Rope {
  const operation = operationOf(emitter.source, node)
  if (operation !== 0) return stepOf(emitter, node, operation)
  const callee = bare(node.callee)
  if (callee.type === 'MemberExpression') return memberCall(emitter, node, callee, emitter.emit(callee.object))
  if (callee.type === 'ChainExpression' && callee.expression.type === 'MemberExpression') {
    return chainCall(emitter, node, callee)
  }
  return simpleCall(emitter, node, emitter.emit(node.callee))
}

export function rewriteNew(emitter: Emitter, node: Node): Rope {
  const callee = bare(node.callee)
  const constructor =
    callee.type === 'MemberExpression' ? emitter.copy(node.callee, members(emitter, callee)) : emitter.emit(node.callee)
  const made: Rope = [emitter.place(node), 'new ', constructor, '(', callArguments(emitter, node), ')']
  if (!emitter.colours.mayConstruct(emitter.source, node.callee)) return made
  if (!emitter.isCoroutine) return emitter.run(node, made)
  const temp = emitter.temp()
  return [`(${temp} = `, made, ', ', emitter.runLeft(temp), `${temp})`]
}

/** The code of a member expression which is not read as an element, to stand in its place. */
function members(emitter: Emitter, member: Node): Map<Node, Rope> {
  return new Map([[member, emitter.copy(member)]])
}

export function rewriteTemplate(emitter: Emitter, node: Node): Rope {
  const tag = bare(node.tag)
  const function_ = tag.type === 'MemberExpression' ? emitter.copy(tag) : emitter.emit(node.tag)
  const call: Rope = [function_, emitter.emit(node.quasi)]
  return emitter.colours.mayCall(emitter.source, node) ? emitter.run(node, call) : call
}

export function rewriteSpread(emitter: Emitter, node: Node): Rope | undefined {
  if (!emitter.isCoroutine || !emitter.colours.mayIterate(node)) return undefined
  if (emitter.source.parentOf(node)!.type === 'ObjectExpression') return undefined
  const value = emitter.emit(node.argument!)
  return ['...', emitter.run(node, [`${emitter.helper('collect')}(`, value, ', Infinity)'])]
}
