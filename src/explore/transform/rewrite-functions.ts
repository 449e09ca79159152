/**
 * Functions. One that may reach a shared access gets a generator as its twin, which has its code; the function itself
 * only makes the coroutine and hands it to whoever called.
 */
import { group, join, newFrame, type Emitter, type FrameKind } from './emitter.ts'
import type { Rope } from './rope.ts'
import { bind, isHotPattern } from './rewrite-patterns.ts'
import { findInside, isArrow, isFunction, propertyName, walk, type Node } from './syntax.ts'

/** The code of a function, ready to be put after the keyword `function*` or the name of a method. */
interface Twin {
  readonly params: Rope
  readonly body: Rope
}

export function frameKind(emitter: Emitter, node: Node): FrameKind {
  if (!emitter.colours.isHot(node)) return 'plain'
  return node.async ? 'direct' : 'coroutine'
}

/** Parameters for a wrapper: as many as the function has, under names of its own. */
function forwarded(node: Node): { params: string; args: string } {
  const params: string[] = []
  const args: string[] = []
  for (const [index, param] of node.params.entries()) {
    const name = `${param.type === 'RestElement' ? '...' : ''}$p${index}`
    params.push(param.type === 'AssignmentPattern' ? `${name} = undefined` : name)
    args.push(name)
  }
  return { params: params.join(', '), args: args.join(', ') }
}

/** How the wrapper calls its twin. `callee`: an expression of the generator; `self`: the code of `this`, or ''. */
function callTwin(emitter: Emitter, node: Node, callee: Rope, self: string): Rope {
  const { args } = forwarded(node)
  if (!isArrow(node) && emitter.source.usesArguments(node))
    return [callee, '.apply(', self || 'undefined', ', arguments)']
  if (self === '') return [callee, `(${args})`]
  return [callee, `.call(${self}${args === '' ? '' : `, ${args}`})`]
}

/** The helper that takes the coroutine of a function: an iterator is made of that of a generator. */
function taker(emitter: Emitter, node: Node): string {
  return emitter.helper(node.generator ? 'iter' : 'c')
}

/** The parameters of a function that is no coroutine. */
export function plainParams(emitter: Emitter, node: Node, kind: FrameKind): Rope[] {
  const frame = newFrame(kind)
  const ropes = emitter.within(frame, () => node.params.map((param) => emitter.emit(param)))
  // No variable can be declared before a parameter: what needs one becomes a little function of its own.
  return frame.temps.length === 0 ? ropes : node.params.map((param) => detachDefaults(emitter, param, kind))
}

function detachDefaults(emitter: Emitter, param: Node, kind: FrameKind): Rope {
  const detach = (node: Node): Rope => detachDefaults(emitter, node, kind)
  switch (param.type) {
    case 'AssignmentPattern':
      return [detach(param.left), ' = ', group(param.right, emitter.detached(kind, param.right))]
    case 'RestElement':
      return ['...', detach(param.argument!)]
    case 'ArrayPattern':
      return ['[', join(param.elements.map((element) => (element ? detach(element) : ''))), ']']
    case 'ObjectPattern':
      return ['{ ', join(param.properties.map(detach)), ' }']
    case 'Property': {
      if (param.shorthand) return detach(param.value!)
      const key = param.computed ? ['[', emitter.detached(kind, param.key), ']'] : emitter.copy(param.key)
      return [key, ': ', detach(param.value!)]
    }
  }
  return emitter.emit(param)
}

/** Whether a parameter goes through the elements of something that may be a coroutine. */
function takesElements(emitter: Emitter, param: Node): boolean {
  const inner = param.type === 'AssignmentPattern' ? param.left : param
  return inner.type === 'ArrayPattern' && emitter.colours.mayIterate(inner)
}

/** The parameters of a coroutine, and what its body has to do first if one of them can pause. */
export function coroutineParams(emitter: Emitter, node: Node): { params: Rope; prefix: Rope } {
  const trial = newFrame('coroutine')
  emitter.within(trial, () => node.params.map((param) => emitter.emit(param)))
  const pauses =
    trial.yields || node.params.some((param) => isHotPattern(emitter, param) || takesElements(emitter, param))
  if (!pauses) return { params: join(plainParams(emitter, node, 'plain')), prefix: '' }
  const prefix: Rope[] = []
  for (const [index, param] of node.params.entries()) {
    const isRest = param.type === 'RestElement'
    const value = isRest ? `$p.slice(${index})` : `$p[${index}]`
    const declared = bind(emitter, isRest ? param.argument! : param, value, (target, given) => [target, ' = ', given])
    prefix.push(' var ', join(declared), ';')
  }
  return { params: '...$p', prefix }
}

function twin(emitter: Emitter, node: Node): Twin {
  const frame = newFrame('coroutine', node.generator)
  return emitter.within(frame, () => {
    const { params, prefix } = coroutineParams(emitter, node)
    const rest = functionBody(emitter, node)
    return { params, body: ['{', emitter.declarations(frame), prefix, rest] }
  })
}

/** The body of a function after its opening brace, which an arrow gets if it has none. */
function functionBody(emitter: Emitter, node: Node): Rope {
  if (node.body.type === 'BlockStatement') return emitter.afterBrace(node.body)
  return [' return ', group(node.body, emitter.emit(node.body)), ' }']
}

/** What a function expression cannot have when its code moves into another one. */
function refuseMoved(emitter: Emitter, node: Node, what: string): void {
  const inArrow = isArrow(node)
  const found = findInside(node, (inner) => {
    if (inner.type === 'Super' || inner.type === 'MetaProperty') return inner.type === 'Super' || isNewTarget(inner)
    return inArrow && inner.type === 'Identifier' && inner.name === 'arguments'
  })
  if (found === undefined) return
  const name = found.type === 'Super' ? 'super' : found.type === 'MetaProperty' ? 'new.target' : 'arguments'
  emitter.source.refuse(found, `${name} cannot be used in ${what} that may reach shared memory`)
}

export function isNewTarget(node: Node): boolean {
  const { property } = node
  return node.type === 'MetaProperty' && property.name === 'target'
}

function usesThis(arrow: Node): boolean {
  let found = false
  walk(arrow, (node) => {
    found ||= node.type === 'ThisExpression'
    return !isFunction(node) || isArrow(node)
  })
  return found
}

/** A function that stays as it is, but for what is in it. */
function plainFunction(emitter: Emitter, node: Node): Rope {
  const kind = frameKind(emitter, node)
  const params = plainParams(emitter, node, kind)
  const frame = newFrame(kind)
  const prefix = kind === 'direct' ? ` ${emitter.helper('async')}(${emitter.site(node)});` : ''
  const rest = emitter.within(frame, () => functionBody(emitter, node))
  const declared = emitter.declarations(frame)
  const replaced = new Map(node.params.map((param, index) => [param, params[index]!]))
  const isBlock = node.body.type === 'BlockStatement'
  if (isBlock || declared !== '' || prefix !== '')
    return emitter.copy(node, replaced.set(node.body, ['{', declared, prefix, rest]))
  return emitter.copy(node, replaced)
}

/** `(function* (a) {…}).call(this, $p0)`: the twin where it is used. */
function inPlace(emitter: Emitter, node: Node, self: string): Rope {
  const { params, body } = twin(emitter, node)
  return callTwin(emitter, node, ['(function* (', params, ') ', body, ')'], self)
}

function arrow(emitter: Emitter, node: Node): Rope {
  refuseMoved(emitter, node, 'an arrow function')
  const { params } = forwarded(node)
  const call = inPlace(emitter, node, usesThis(node) ? 'this' : '')
  return [emitter.place(node), `(${params}) => ${emitter.helper('c')}(`, call, ')']
}

function declaration(emitter: Emitter, node: Node): Rope {
  refuseNewTarget(emitter, node)
  const name = node.id?.name ?? 'default'
  const { params } = forwarded(node)
  const call = callTwin(emitter, node, `$g_${name}`, 'this')
  const inner = twin(emitter, node)
  return [
    emitter.place(node),
    `function ${node.id?.name ?? ''}(${params}) { return ${taker(emitter, node)}(`,
    call,
    `) } function* $g_${name}(`,
    inner.params,
    ') ',
    inner.body,
  ]
}

function refuseNewTarget(emitter: Emitter, node: Node): void {
  const found = findInside(node, isNewTarget)
  if (found) emitter.source.refuse(found, 'new.target cannot be used in a function that may reach shared memory')
}

function expression(emitter: Emitter, node: Node): Rope {
  refuseMoved(emitter, node, 'a function expression')
  const { params } = forwarded(node)
  const name = node.id === null ? '' : ` ${node.id.name}`
  const call = inPlace(emitter, node, 'this')
  return [emitter.place(node), `function${name}(${params}) { return ${taker(emitter, node)}(`, call, ') }']
}

/** What stands before the parameters of a member: `static`, `get`, the name. Without the star of a generator. */
function heading(emitter: Emitter, member: Node): Rope {
  const words = [member.static && 'static', (member.kind === 'get' || member.kind === 'set') && member.kind]
  const before = words.filter(Boolean).map((word) => `${String(word)} `)
  const key = emitter.emit(member.key)
  return [emitter.place(member), before, member.computed ? ['[', key, ']'] : key]
}

/** A method, getter or setter of a class. `twinName` is the name of its twin. */
export function method(emitter: Emitter, member: Node, twinName: string): Rope {
  const node = member.value!
  const { params } = forwarded(node)
  const isSetter = member.kind === 'set'
  const take = `{ ${isSetter ? '' : 'return '}${taker(emitter, node)}(`
  const head = heading(emitter, member)
  if (propertyName(member.key, member.computed) === undefined) {
    refuseMoved(emitter, node, 'a method with a computed name')
    return [head, `(${params}) ${take}`, inPlace(emitter, node, 'this'), ') }']
  }
  refuseNewTarget(emitter, node)
  const hidden = `${member.key.type === 'PrivateIdentifier' ? '#' : ''}${twinName}`
  const inner = twin(emitter, node)
  const { args } = forwarded(node)
  const call = emitter.source.usesArguments(node) ? `this.${hidden}(...arguments)` : `this.${hidden}(${args})`
  const second = [member.static ? 'static ' : '', `*${hidden}(`, inner.params, ') ', inner.body]
  return [head, `(${params}) ${take}${call}) } `, second]
}

/** A method, getter or setter of an object. */
function objectMember(emitter: Emitter, property: Node): Rope | undefined {
  const node = property.value!
  const isMethod = property.method || property.kind !== 'init'
  if (!isMethod || !isFunction(node) || !emitter.colours.isCoroutine(node)) return undefined
  refuseMoved(emitter, node, 'a method of an object')
  const { params } = forwarded(node)
  const take = `{ ${property.kind === 'set' ? '' : 'return '}${taker(emitter, node)}(`
  return [heading(emitter, property), `(${params}) ${take}`, inPlace(emitter, node, 'this'), ') }']
}

export function rewriteFunction(emitter: Emitter, node: Node): Rope {
  if (!emitter.colours.isCoroutine(node)) return plainFunction(emitter, node)
  if (node.type === 'FunctionDeclaration') return declaration(emitter, node)
  return isArrow(node) ? arrow(emitter, node) : expression(emitter, node)
}

export function rewriteProperty(emitter: Emitter, property: Node): Rope | undefined {
  return property.value ? objectMember(emitter, property) : undefined
}

/** In a generator that is a coroutine, values for its user are told apart from pauses. */
export function rewriteYield(emitter: Emitter, node: Node): Rope | undefined {
  if (!emitter.isCoroutine || !emitter.frame.generator) return undefined
  emitter.frame.yields = true
  const value = node.argument ? emitter.emit(node.argument) : 'undefined'
  const helper = emitter.helper(node.delegate ? 'delegate' : 'token')
  return [emitter.place(node), `(${node.delegate ? 'yield*' : 'yield'} ${helper}(`, value, '))']
}
