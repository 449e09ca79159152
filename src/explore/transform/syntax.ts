/** The syntax tree, as the parser gives it (ESTree), and ways to go through it. */
import { visitorKeys } from 'oxc-parser'

/**
 * A node of the tree. One loose interface for all: which of the fields a node has depends on its `type`, and a field
 * that may be null is written so only where it matters.
 */
export interface Node {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly name: string
  readonly operator: string
  readonly kind: string
  readonly raw: string
  readonly computed: boolean
  readonly optional: boolean
  readonly shorthand: boolean
  readonly method: boolean
  readonly static: boolean
  readonly prefix: boolean
  readonly delegate: boolean
  readonly generator: boolean
  readonly async: boolean
  readonly await: boolean
  readonly directive: string | null | undefined
  readonly id: Node | null
  readonly init: Node | null
  readonly test: Node | null
  readonly update: Node | null
  readonly argument: Node | null
  readonly superClass: Node | null
  readonly param: Node | null
  readonly value: Node | null
  readonly source: Node | null
  readonly declaration: Node | null
  readonly body: Node
  readonly left: Node
  readonly right: Node
  readonly object: Node
  readonly property: Node
  readonly callee: Node
  readonly tag: Node
  readonly quasi: Node
  readonly key: Node
  readonly expression: Node
  readonly label: Node
  readonly local: Node
  readonly imported: Node
  readonly exported: Node
  readonly params: readonly Node[]
  readonly arguments: readonly Node[]
  readonly elements: readonly (Node | null)[]
  readonly properties: readonly Node[]
  readonly declarations: readonly Node[]
  readonly specifiers: readonly Node[]
  readonly expressions: readonly Node[]
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as Node).type === 'string'
}

/** The children in the order of the source. Of `{ a }` the key and the value are one place: only the value is given. */
export function childrenOf(node: Node): Node[] {
  const found: Node[] = []
  const fields = node as unknown as Record<string, unknown>
  for (const key of visitorKeys[node.type] ?? []) {
    if (key === 'key' && node.shorthand) continue
    const value = fields[key]
    if (Array.isArray(value)) found.push(...value.filter(isNode))
    else if (isNode(value)) found.push(value)
  }
  return found.sort((a, b) => a.start - b.start)
}

/** The statements of a program, a block or a static block, or the members of a class body. */
export function bodyOf(node: Node): readonly Node[] {
  return node.body as unknown as readonly Node[]
}

/** The value of a literal. */
export function literalOf(node: Node): unknown {
  return node.type === 'Literal' ? node.value : undefined
}

export function isFunction(node: Node): boolean {
  const { type } = node
  return type === 'FunctionDeclaration' || type === 'FunctionExpression' || type === 'ArrowFunctionExpression'
}

export function isArrow(node: Node): boolean {
  return node.type === 'ArrowFunctionExpression'
}

export function isClass(node: Node): boolean {
  return node.type === 'ClassDeclaration' || node.type === 'ClassExpression'
}

/** Without the parentheses around it. */
export function bare(node: Node): Node {
  let inner = node
  while (inner.type === 'ParenthesizedExpression') inner = inner.expression
  return inner
}

/** The name of a property that is known before the program runs: `.name`, `['name']`, `#name`, `{ name: … }`. */
export function propertyName(key: Node, computed: boolean): string | undefined {
  if (key.type === 'PrivateIdentifier') return `#${key.name}`
  if (!computed && key.type === 'Identifier') return key.name
  const value = literalOf(key)
  if (typeof value === 'string') return value
  return !computed && typeof value === 'number' ? String(value) : undefined
}

/** The name that a member expression reads, if it is known. */
export function memberName(node: Node): string | undefined {
  return node.type === 'MemberExpression' ? propertyName(node.property, node.computed) : undefined
}

/** Whether it reads an element: a computed key which is not a string. */
export function isElement(node: Node): boolean {
  return (
    node.type === 'MemberExpression' &&
    node.computed &&
    typeof literalOf(node.property) !== 'string' &&
    node.object.type !== 'Super'
  )
}

/** Calls `visit` for the node and everything in it; does not go into a node for which it returns false. */
export function walk(node: Node, visit: (node: Node) => boolean | void): void {
  if (visit(node) === false) return
  for (const child of childrenOf(node)) walk(child, visit)
}

/** The first node that `wanted` accepts and that shares `this` with the given one: arrows are entered, functions not. */
export function findInside(node: Node, wanted: (node: Node) => boolean): Node | undefined {
  let found: Node | undefined
  walk(node, (inner) => {
    if (found !== undefined) return false
    if (wanted(inner)) found = inner
    else if (inner !== node && ((isFunction(inner) && !isArrow(inner)) || isClass(inner))) return false
    return undefined
  })
  return found
}
