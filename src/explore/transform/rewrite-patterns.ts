/**
 * Destructuring. A pattern reads properties by itself, and where such a read may run a getter which is a coroutine the
 * pattern is taken apart.
 */
import { group, type Emitter } from './emitter.ts'
import type { Rope } from './rope.ts'
import { bare, isElement, literalOf, memberName, propertyName, walk, type Node } from './syntax.ts'

function reads(emitter: Emitter, property: Node): boolean {
  return property.type === 'Property' && emitter.colours.reads(propertyName(property.key, property.computed))
}

/** Whether a pattern itself may run a coroutine, as a getter. */
export function isHotPattern(emitter: Emitter, pattern: Node): boolean {
  if (!emitter.isCoroutine) return false
  let found = false
  walk(pattern, (node) => {
    const isPattern = node.type.endsWith('Pattern') || node.type === 'RestElement' || node.type === 'Property'
    if (node.type === 'ObjectPattern') found ||= node.properties.some((property) => reads(emitter, property))
    return isPattern
  })
  return found
}

/** The value, or the default of the pattern if it is undefined. */
function withDefault(emitter: Emitter, node: Node, value: Rope): Rope {
  const temp = emitter.temp()
  return [`((${temp} = `, value, `) === undefined ? `, group(node, emitter.emit(node)), ` : ${temp})`]
}

/**
 * Binds a value to a pattern.
 * @param give makes a declaration or an assignment out of the code of a target and of its value
 * @returns what `give` made, in order
 */
export function bind(
  emitter: Emitter,
  pattern: Node,
  value: Rope,
  give: (target: Rope, value: Rope, node: Node) => Rope,
): Rope[] {
  const node = bare(pattern)
  if (node.type === 'AssignmentPattern') {
    return bind(emitter, node.left, withDefault(emitter, node.right, value), give)
  }
  if (!isHotPattern(emitter, node)) return [give(emitter.emit(node), takeElements(emitter, node, value), node)]
  if (node.type !== 'ObjectPattern') {
    emitter.source.refuse(node, 'a getter that may reach shared memory cannot be read inside an array pattern')
  }
  const holder = emitter.temp()
  const made: Rope[] = []
  let from: Rope = [`(${holder} = `, value, ')']
  for (const property of node.properties) {
    if (property.type === 'RestElement') {
      emitter.source.refuse(property, 'a getter that may reach shared memory cannot be read beside a rest element')
    }
    const { key, computed } = property
    const member: Rope = computed
      ? [from, '[', emitter.emit(key), ']']
      : literalOf(key) === undefined
        ? [from, '.', { start: key.start, end: key.end }]
        : [from, '[', { start: key.start, end: key.end }, ']']
    const read = reads(emitter, property) ? emitter.run(property, member) : member
    made.push(...bind(emitter, property.value!, read, give))
    from = holder
  }
  return made
}

/** How many elements an array pattern takes. */
export function takeElements(emitter: Emitter, pattern: Node, value: Rope): Rope {
  if (pattern.type !== 'ArrayPattern' || !emitter.isCoroutine || !emitter.colours.mayIterate(pattern)) return value
  const isOpen = pattern.elements.some((element) => element?.type === 'RestElement')
  const count = isOpen ? 'Infinity' : String(pattern.elements.length)
  return emitter.run(pattern, [`${emitter.helper('collect')}(`, value, `, ${count})`])
}

/** A declaration, if one of its patterns has to be taken apart or reads from an iterator. */
export function rewriteDeclaration(emitter: Emitter, node: Node): Rope | undefined {
  if (!emitter.isCoroutine) return undefined
  const parent = emitter.source.parentOf(node)!
  const isHead = (parent.type === 'ForInStatement' || parent.type === 'ForOfStatement') && parent.left === node
  const patterns = node.declarations.filter(({ id }) => id!.type !== 'Identifier')
  if (patterns.length === 0) return undefined
  if (isHead) {
    for (const { id } of patterns) {
      if (isHotPattern(emitter, id!))
        emitter.source.refuse(id!, 'this pattern cannot read a getter that may reach shared memory')
    }
    return undefined
  }
  const made: Rope[] = []
  for (const declarator of node.declarations) {
    const { id, init } = declarator
    if (id!.type === 'Identifier' || init === null) made.push(emitter.emit(declarator))
    else made.push(...bind(emitter, id!, emitter.emit(init), (target, value) => [target, ' = ', value]))
  }
  const rope: Rope[] = [emitter.place(node), `${node.kind} `]
  for (const [index, piece] of made.entries()) rope.push(index === 0 ? '' : ', ', piece)
  // In the head of a loop the semicolon is not part of the declaration.
  if (emitter.source.code[node.end - 1] === ';') rope.push(';')
  return rope
}

/** What is caught, if its pattern has to be taken apart. */
export function rewriteCatch(emitter: Emitter, node: Node): Rope | undefined {
  if (!node.param || !isHotPattern(emitter, node.param)) return undefined
  const made = bind(emitter, node.param, '$e', (target, value) => [' let ', target, ' = ', value, ';'])
  return ['catch ($e) {', made, emitter.afterBrace(node.body)]
}

/** Whether a member expression is what a pattern, or the head of a loop, assigns to. */
export function isTarget(emitter: Emitter, member: Node): boolean {
  let node = member
  let parent = emitter.source.parentOf(node)!
  while (parent.type === 'ParenthesizedExpression') {
    node = parent
    parent = emitter.source.parentOf(node)!
  }
  switch (parent.type) {
    case 'ArrayPattern':
    case 'RestElement':
      return true
    case 'AssignmentPattern':
    case 'ForInStatement':
    case 'ForOfStatement':
      return parent.left === node
    case 'Property':
      return parent.value === node && emitter.source.parentOf(parent)!.type === 'ObjectPattern'
  }
  return false
}

/** A member expression as a target: elements through a reference, and no setters that are coroutines. */
export function rewriteTarget(emitter: Emitter, node: Node): Rope {
  if (emitter.isCoroutine && emitter.colours.writes(memberName(node))) {
    emitter.source.refuse(
      node,
      'a setter that may reach shared memory cannot be written by a pattern or the head of a loop',
    )
  }
  if (!isElement(node)) return emitter.copy(node)
  const ref = `${emitter.helper('ref')}(${emitter.site(node)}, `
  return [emitter.place(node), ref, emitter.emit(node.object), ', ', emitter.emit(node.property), ').v']
}

/** Whether a pattern assigns anything that others can see. */
export function hasEffect(emitter: Emitter, pattern: Node): boolean {
  let found = false
  walk(pattern, (node) => {
    if (node.type === 'MemberExpression') found ||= isTarget(emitter, node)
    else if (node.type === 'Identifier') found ||= emitter.source.isOuter(node) && isTargetName(emitter, node)
    return node.type.endsWith('Pattern') || node.type === 'RestElement' || node.type === 'Property'
  })
  return found
}

function isTargetName(emitter: Emitter, node: Node): boolean {
  const parent = emitter.source.parentOf(node)!
  return parent.type !== 'AssignmentPattern' || parent.left === node
}
