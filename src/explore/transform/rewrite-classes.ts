/**
 * Classes. A constructor cannot be a coroutine, so the part of it that may reach a shared access is left to be run by
 * whoever says `new`, once the object is made: the initialisers of the fields, and what comes after `super(…)`.
 */
import { join, newFrame, type Emitter } from './emitter.ts'
import { coroutineParams, isNewTarget, method, plainParams } from './rewrite-functions.ts'
import type { Rope } from './rope.ts'
import { bodyOf, findInside, isFunction, propertyName, type Node } from './syntax.ts'

function isConstructor(member: Node): boolean {
  return member.type === 'MethodDefinition' && member.kind === 'constructor'
}

function isInstanceField(member: Node): boolean {
  return member.type === 'PropertyDefinition' && !member.static
}

/** Fields whose initialisers are left for later: from the first that may pause, or all of a class with a base. */
function laterFields(emitter: Emitter, node: Node): Node[] {
  const fields = bodyOf(node.body).filter((member) => isInstanceField(member) && member.value)
  if (node.superClass) return fields
  const first = fields.findIndex(({ value }) => {
    if (isFunction(value!)) return false
    const frame = newFrame('coroutine')
    emitter.within(frame, () => emitter.emit(value!))
    return frame.yields
  })
  return first < 0 ? [] : fields.slice(first)
}

function refuseInMoved(emitter: Emitter, code: Node, isConstructorBody: boolean): void {
  const found = findInside(code, (inner) => {
    if (inner.type === 'Super') return emitter.source.parentOf(inner)!.type === 'MemberExpression'
    return (
      isNewTarget(inner) ||
      (isConstructorBody && inner.type === 'ReturnStatement' && inner.argument !== null && owns(emitter, code, inner))
    )
  })
  if (found === undefined) return
  const what =
    found.type === 'Super' ? 'super' : found.type === 'ReturnStatement' ? 'return with a value' : 'new.target'
  emitter.source.refuse(found, `${what} cannot be used in a constructor that may reach shared memory`)
}

/** Whether a return belongs to the constructor, not to an arrow in it. */
function owns(emitter: Emitter, code: Node, statement: Node): boolean {
  for (let at = emitter.source.parentOf(statement)!; at !== code; at = emitter.source.parentOf(at)!) {
    if (isFunction(at)) return false
    if (!emitter.source.parentOf(at)) return true
  }
  return true
}

function initialisers(emitter: Emitter, fields: readonly Node[]): Rope[] {
  return fields.map((field) => {
    refuseInMoved(emitter, field.value!, false)
    if (propertyName(field.key, field.computed) === undefined) {
      emitter.source.refuse(field, 'a field with a computed name cannot be initialised after shared memory was reached')
    }
    const key: Rope = { start: field.key.start, end: field.key.end }
    const isName = field.key.type === 'Identifier' || field.key.type === 'PrivateIdentifier'
    return [' this', isName && !field.computed ? ['.', key] : ['[', key, ']'], ' = ', emitter.emit(field.value!), ';']
  })
}

/** Where `super(…)` stands among the statements of a constructor. */
function superIndex(emitter: Emitter, constructor: Node): number {
  const isSuperCall = (inner: Node) => inner.type === 'CallExpression' && inner.callee.type === 'Super'
  const statements = bodyOf(constructor.body)
  const index = statements.findIndex(
    (statement) => statement.type === 'ExpressionStatement' && isSuperCall(statement.expression),
  )
  const other = statements.find((statement, at) => at !== index && findInside(statement, isSuperCall))
  if (index < 0 || other) {
    emitter.source.refuse(
      other ?? constructor,
      'a constructor that may reach shared memory must call super once, as a statement of its own',
    )
  }
  return index
}

/** The coroutine that is left for later, and the call that leaves it. */
function later(emitter: Emitter, fields: readonly Node[], rest: () => Rope, usesArguments: boolean): Rope {
  const frame = newFrame('coroutine')
  const body = emitter.within(frame, () => [initialisers(emitter, fields), rest()])
  const call = usesArguments ? '.apply(this, arguments)' : '.call(this)'
  return [` ${emitter.helper('later')}(this, (function* () {`, emitter.declarations(frame), body, ` })${call});`]
}

function constructorOf(emitter: Emitter, node: Node, member: Node, fields: readonly Node[]): Rope {
  const constructor = member.value!
  const statements = bodyOf(constructor.body)
  const usesArguments = emitter.source.usesArguments(constructor)
  const split = node.superClass ? superIndex(emitter, constructor) + 1 : 0
  for (const statement of statements.slice(split)) refuseInMoved(emitter, statement, true)
  const frame = newFrame('direct')
  return emitter.within(frame, () => {
    let params: Rope = join(plainParams(emitter, constructor, 'direct'))
    const early = statements.slice(0, split).map((statement): Rope => [' ', emitter.emit(statement), ';'])
    const rest = (): Rope => {
      let prefix: Rope = ''
      // The parameters of a class without a base can wait too: nothing needs them before.
      if (split === 0) ({ params, prefix } = coroutineParams(emitter, constructor))
      return [prefix, statements.slice(split).map((statement): Rope => [' ', emitter.emit(statement)])]
    }
    const left = later(emitter, fields, rest, usesArguments)
    return [emitter.place(member), 'constructor(', params, ') {', emitter.declarations(frame), early, left, ' }']
  })
}

function memberRope(emitter: Emitter, member: Node, prefix: string, index: number, fields: readonly Node[]): Rope {
  if (member.type === 'MethodDefinition' && emitter.colours.isCoroutine(member.value!)) {
    const name = propertyName(member.key, member.computed) ?? ''
    return method(emitter, member, `${prefix}${index}_${name.replace(/[^\w$]/g, '')}`)
  }
  if (member.type === 'AccessorProperty') emitter.source.refuse(member, 'accessor fields cannot be explored')
  if (member.type !== 'PropertyDefinition') return emitter.emit(member)
  const key = emitter.emit(member.key)
  if (fields.includes(member)) {
    const name = member.computed ? ['[', key, ']'] : key
    return [emitter.place(member), name, ';']
  }
  const replaced = new Map([[member.key, key]])
  if (member.value) replaced.set(member.value, emitter.detached('direct', member.value))
  return emitter.copy(member, replaced)
}

export function rewriteClass(emitter: Emitter, node: Node): Rope {
  const members = bodyOf(node.body)
  const isHot = emitter.colours.isHot(node)
  const fields = isHot ? laterFields(emitter, node) : []
  const prefix = emitter.classPrefix()
  const replaced = new Map<Node, Rope>()
  for (const [index, member] of members.entries()) {
    const isLater = isHot && isConstructor(member)
    const rope = isLater
      ? constructorOf(emitter, node, member, fields)
      : memberRope(emitter, member, prefix, index, fields)
    replaced.set(member, rope)
  }
  if (fields.length > 0 && !members.some(isConstructor)) {
    const left = emitter.within(newFrame('direct'), () => later(emitter, fields, () => '', false))
    const head = node.superClass ? 'constructor(...$p) { super(...$p);' : 'constructor() {'
    const first = members[0]!
    replaced.set(first, [head, left, ' } ', replaced.get(first)!])
  }
  return emitter.copy(node, new Map([[node.body, emitter.copy(node.body, replaced)]]))
}

export function rewriteStaticBlock(emitter: Emitter, node: Node): Rope {
  const frame = newFrame('direct')
  const brace = emitter.source.code.indexOf('{', node.start)
  const body = emitter.within(frame, () => bodyOf(node).map((statement): Rope => [' ', emitter.emit(statement)]))
  return [{ start: node.start, end: brace + 1 }, emitter.declarations(frame), body, ' }']
}
