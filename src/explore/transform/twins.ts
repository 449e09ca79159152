/** The code of functions: parameters and bodies, of coroutines and of functions that stay what they are. */
import { group, join, newFrame, type Emitter, type FrameKind } from './emitter.ts'
import { bind, isHotPattern } from './rewrite-patterns.ts'
import type { Rope } from './rope.ts'
import type { Node } from './syntax.ts'

/** The code of a function, ready to be put after the keyword `function*` or the name of a method. */
export interface Twin {
  readonly params: Rope
  readonly body: Rope
}

export function frameKind(emitter: Emitter, node: Node): FrameKind {
  if (!emitter.colours.isHot(node)) return 'plain'
  return node.async ? 'direct' : 'coroutine'
}

/** Parameters for a wrapper: as many as the function has, under names of its own. */
export function forwarded(node: Node): { params: string; args: string[] } {
  const params: string[] = []
  const args: string[] = []
  for (const [index, param] of node.params.entries()) {
    const name = `${param.type === 'RestElement' ? '...' : ''}$p${index}`
    params.push(param.type === 'AssignmentPattern' ? `${name} = undefined` : name)
    args.push(name)
  }
  return { params: params.join(', '), args }
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
function coroutineParams(emitter: Emitter, node: Node): { params: Rope; prefix: Rope } {
  const isHot = (param: Node) => isHotPattern(emitter, param) || takesElements(emitter, param)
  const pauses = node.params.some((param) => isHot(param) || emitter.pauses(param))
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

/** @param first what is to be done before anything else, as complete statements */
export function twin(emitter: Emitter, node: Node, first = ''): Twin {
  const frame = newFrame('coroutine', node.generator)
  return emitter.within(frame, () => {
    const { params, prefix } = coroutineParams(emitter, node)
    const rest = functionBody(emitter, node)
    return { params, body: ['{', emitter.declarations(frame), first, prefix, rest] }
  })
}

/** The body of a function after its opening brace, which an arrow gets if it has none. */
export function functionBody(emitter: Emitter, node: Node): Rope {
  if (node.body.type === 'BlockStatement') return emitter.afterBrace(node.body)
  return [' return ', group(node.body, emitter.emit(node.body)), ' }']
}
