/**
 * Reads of members, and optional chains. A chain is taken apart, because what is done to its members (a coroutine that
 * is run, an element that is read) has to be left out too where the chain ends early.
 */
import { operationOf } from './atomics.ts'
import type { Emitter } from './emitter.ts'
import { access, callArguments, memberCall, simpleCall, stepOf } from './rewrite-calls.ts'
import { isTarget, rewriteTarget } from './rewrite-patterns.ts'
import type { Rope } from './rope.ts'
import { bare, isElement, memberName, type Node } from './syntax.ts'

/** A read of a member, given the code of its object. */
function read(emitter: Emitter, member: Node, object: Rope): Rope {
  if (isElement(member)) {
    const rd = `${emitter.helper('rd')}(${emitter.site(member)}, `
    const key = emitter.emit(member.property)
    const isList = member.property.type === 'SequenceExpression'
    return [emitter.place(member), rd, object, ', ', isList ? ['(', key, ')'] : key, ')']
  }
  const code: Rope = [object, access(emitter, member)]
  return emitter.colours.reads(memberName(member)) ? emitter.run(member, code) : code
}

export function rewriteMember(emitter: Emitter, node: Node): Rope | undefined {
  if (isTarget(emitter, node)) return rewriteTarget(emitter, node)
  if (!isElement(node) && !emitter.colours.reads(memberName(node))) return undefined
  return read(emitter, node, emitter.emit(node.object))
}

/** Takes a chain apart: the conditions under which it ends early, and its value otherwise. */
class Chain {
  private readonly guards: Rope[] = []
  private readonly emitter: Emitter

  constructor(emitter: Emitter) {
    this.emitter = emitter
  }

  /** The value of an expression of the chain, if it has not ended before. */
  value(node: Node): Rope {
    const { emitter } = this
    if (node.type === 'MemberExpression') return read(emitter, node, this.object(node))
    if (node.type !== 'CallExpression') return emitter.emit(node)
    const operation = operationOf(emitter.source, node)
    if (operation !== 0) return stepOf(emitter, node, operation)
    const callee = bare(node.callee)
    if (node.optional) return this.optionalCall(node, callee)
    if (node.callee.type === 'MemberExpression') return memberCall(emitter, node, callee, this.object(callee))
    if (callee.type === 'ChainExpression' || callee !== node.callee) return emitter.emit(node)
    return simpleCall(emitter, node, this.value(node.callee))
  }

  /** The object of a member, which ends the chain if the access is optional and there is none. */
  object(member: Node): Rope {
    if (member.object.type === 'Super') return this.emitter.emit(member.object)
    const code = this.value(member.object)
    return member.optional ? this.guard(code) : code
  }

  /** The member itself, as an operand of `delete`. */
  place(member: Node): Rope {
    return [this.object(member), access(this.emitter, member)]
  }

  close(value: Rope, otherwise: string): Rope {
    const guarded = this.guards.map((guard): Rope => [guard, ` ? ${otherwise} : `])
    return ['(', guarded, value, ')']
  }

  private guard(code: Rope): string {
    const temp = this.emitter.temp()
    this.guards.push([`(${temp} = `, code, ') == null'])
    return temp
  }

  private optionalCall(node: Node, callee: Node): Rope {
    const { emitter } = this
    if (callee.type !== 'MemberExpression') return simpleCall(emitter, node, this.guard(this.value(node.callee)))
    let self = 'this'
    let object = this.object(callee)
    if (callee.object.type !== 'Super') {
      self = emitter.temp()
      object = [`(${self} = `, object, ')']
    }
    const code: Rope = [object, access(emitter, callee)]
    const isGetter = emitter.colours.reads(memberName(callee))
    const method = this.guard(isGetter ? emitter.run(callee, code) : code)
    const args: Rope = node.arguments.length === 0 ? '' : [', ', callArguments(emitter, node)]
    const call: Rope = [`${method}.call(${self}`, args, ')']
    return emitter.colours.mayCall(emitter.source, node) ? emitter.run(node, call) : call
  }
}

export function rewriteChain(emitter: Emitter, node: Node): Rope {
  const chain = new Chain(emitter)
  const value = chain.value(node.expression)
  return [emitter.place(node), chain.close(value, 'void 0')]
}

/** `(a?.b)(…)`: what is called is the value of a chain, but `this` is the object in it. */
export function chainCall(emitter: Emitter, node: Node, callee: Node): Rope {
  const chain = new Chain(emitter)
  const member = callee.expression
  const self = emitter.temp()
  const method = emitter.temp()
  const object = chain.object(member)
  const value = chain.close([`(${self} = `, object, ')', access(emitter, member)], 'void 0')
  const args: Rope = node.arguments.length === 0 ? '' : [', ', callArguments(emitter, node)]
  const call = emitter.run(node, [`${method}.call(${self}`, args, ')'])
  return [`(${method} = `, value, ', ', call, ')']
}

/** `delete` looks at the place of a property, not at its value. */
export function rewriteDelete(emitter: Emitter, node: Node): Rope | undefined {
  if (node.operator !== 'delete') return undefined
  const argument = bare(node.argument!)
  if (argument.type === 'MemberExpression') return ['delete ', emitter.copy(argument)]
  if (argument.type !== 'ChainExpression') return undefined
  const chain = new Chain(emitter)
  const place = chain.place(argument.expression)
  return chain.close(['delete ', place], 'true')
}
