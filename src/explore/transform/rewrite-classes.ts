/**
 * Classes. A constructor cannot be a coroutine, so the part of it that may reach a shared access is left to be run by
 * whoever says `new`, once the object is made: the initialisers of the fields, and what comes after `super(…)`.
 */
import { join, newFrame, type Emitter } from './emitter.ts'
import { isNewTarget, method } from './rewrite-functions.ts'
import type { Rope } from './rope.ts'
import { forwarded, plainParams, twin } from './twins.ts'
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
  const first = fields.findIndex(({ value }) => !isFunction(value!) && emitter.pauses(value!))
  return first < 0 ? [] : fields.slice(first)
}

/** Refuses what a coroutine cannot do in the place of a constructor. */
function refuseInBody(emitter: Emitter, body: Node, isMethod: boolean): void {
  const found = findInside(body, (inner) => {
    if (inner.type === 'ReturnStatement') return inner.argument !== null && isOwn(emitter, body, inner)
    if (inner.type === 'Super') return !isMethod && emitter.source.parentOf(inner)!.type === 'MemberExpression'
    return isNewTarget(inner)
  })
  if (found === undefined) return
  const what =
    found.type === 'Super' ? 'super' : found.type === 'ReturnStatement' ? 'return with a value' : 'new.target'
  emitter.source.refuse(found, `${what} cannot be used in a constructor that may reach shared memory`)
}

/** Whether a return belongs to the body, not to an arrow in it. */
function isOwn(emitter: Emitter, body: Node, statement: Node): boolean {
  for (let at = statement; at !== body; at = emitter.source.parentOf(at)!) if (isFunction(at)) return false
  return true
}

/** The method that initialises the fields which are left for later. */
function fieldsMethod(emitter: Emitter, name: string, fields: readonly Node[]): Rope {
  const frame = newFrame('coroutine')
  const code = emitter.within(frame, () => fields.map((field) => initialiser(emitter, field)))
  return [`*${name}() {`, emitter.declarations(frame), code, ' }']
}

function initialiser(emitter: Emitter, field: Node): Rope {
  if (propertyName(field.key, field.computed) === undefined) {
    emitter.source.refuse(field, 'a field with a computed name cannot be initialised after shared memory was reached')
  }
  const key: Rope = { start: field.key.start, end: field.key.end }
  const isName = field.key.type === 'Identifier' || field.key.type === 'PrivateIdentifier'
  return [' this', isName && !field.computed ? ['.', key] : ['[', key, ']'], ' = ', emitter.emit(field.value!), ';']
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

/** The constructor of a class without a base: all of it can wait. */
function baseConstructor(emitter: Emitter, constructor: Node, name: string, first: string): Rope {
  refuseInBody(emitter, constructor.body, true)
  const { params, args } = forwarded(constructor)
  const given = emitter.source.usesArguments(constructor) ? '...arguments' : args.join(', ')
  const code = twin(emitter, constructor, first)
  const later = `${emitter.helper('later')}(this, this.${name}(${given}))`
  return [emitter.place(constructor), `constructor(${params}) { ${later} } *${name}(`, code.params, ') ', code.body]
}

/** Whether what comes after `super(…)` can be a method of its own: it needs nothing but the parameters. */
function isSeparable(emitter: Emitter, constructor: Node, split: number): boolean {
  if (split !== 1 || emitter.source.usesArguments(constructor)) return false
  return constructor.params.every((param) => param.type === 'Identifier' && !emitter.source.resolve(param)!.changes)
}

/** The constructor of a derived class: what comes after `super(…)` waits. */
function derivedConstructor(emitter: Emitter, constructor: Node, name: string, first: string): Rope {
  const statements = bodyOf(constructor.body)
  const split = superIndex(emitter, constructor) + 1
  const isMethod = isSeparable(emitter, constructor, split)
  for (const statement of statements.slice(split)) refuseInBody(emitter, statement, isMethod)
  const write = (from: number, to?: number) =>
    statements.slice(from, to).map((statement): Rope => [' ', emitter.emit(statement), ';'])
  const before = newFrame('direct')
  const early = emitter.within(before, () => [join(plainParams(emitter, constructor, 'direct')), write(0, split)])
  const after = newFrame('coroutine')
  const late = emitter.within(after, () => write(split))
  const body: Rope = [' {', emitter.declarations(after), first, late, ' }']
  const head = [emitter.place(constructor), 'constructor(', early[0]!, ') {', emitter.declarations(before), early[1]!]
  const later = ` ${emitter.helper('later')}(this, `
  if (isMethod) {
    const names = constructor.params.map((param) => param.name).join(', ')
    return [head, later, `this.${name}(${names})) } *${name}(${names})`, body]
  }
  const call = emitter.source.usesArguments(constructor) ? '.apply(this, arguments)' : '.call(this)'
  return [head, later, '(function* ()', body, `)${call}) }`]
}

function memberRope(emitter: Emitter, member: Node, prefix: string, owner: string | undefined): Rope {
  if (member.type === 'MethodDefinition' && emitter.colours.isCoroutine(member.value!)) {
    const name = propertyName(member.key, member.computed) ?? ''
    return method(emitter, member, prefix + name.replace(/[^\w$]/g, ''), owner)
  }
  if (member.type === 'AccessorProperty') emitter.source.refuse(member, 'accessor fields cannot be explored')
  if (member.type !== 'PropertyDefinition') return emitter.emit(member)
  const replaced = new Map([[member.key, emitter.emit(member.key)]])
  if (member.value) replaced.set(member.value, emitter.detached('direct', member.value))
  return emitter.copy(member, replaced)
}

/** The members of a class, and those that the transform adds. */
function membersOf(emitter: Emitter, node: Node): Map<Node, Rope> {
  const members = bodyOf(node.body)
  const isHot = emitter.colours.isHot(node)
  const fields = isHot ? laterFields(emitter, node) : []
  const prefix = emitter.classPrefix()
  const fieldsName = `${prefix}fields`
  const first = fields.length === 0 ? '' : ` yield* this.${fieldsName}();`
  const write = node.superClass ? derivedConstructor : baseConstructor
  const written = new Map<Node, Rope>()
  for (const [index, member] of members.entries()) {
    if (isHot && isConstructor(member)) written.set(member, write(emitter, member.value!, `${prefix}make`, first))
    else if (!fields.includes(member))
      written.set(member, memberRope(emitter, member, `${prefix}${index}_`, node.id?.name))
    else {
      const key = emitter.emit(member.key)
      written.set(member, [emitter.place(member), member.computed ? ['[', key, ']'] : key, ';'])
    }
  }
  if (fields.length === 0) return written
  const added: Rope[] = [fieldsMethod(emitter, fieldsName, fields), ' ']
  if (!members.some(isConstructor)) {
    const head = node.superClass ? 'constructor(...$p) { super(...$p);' : 'constructor() {'
    added.push(`${head} ${emitter.helper('later')}(this, this.${fieldsName}()) } `)
  }
  return written.set(members[0]!, [added, written.get(members[0]!)!])
}

export function rewriteClass(emitter: Emitter, node: Node): Rope {
  const body = emitter.copy(node.body, membersOf(emitter, node))
  return emitter.copy(node, new Map([[node.body, body]]))
}

export function rewriteStaticBlock(emitter: Emitter, node: Node): Rope {
  const frame = newFrame('direct')
  const brace = emitter.source.code.indexOf('{', node.start)
  const body = emitter.within(frame, () => bodyOf(node).map((statement): Rope => [' ', emitter.emit(statement)]))
  return [{ start: node.start, end: brace + 1 }, emitter.declarations(frame), body, ' }']
}
