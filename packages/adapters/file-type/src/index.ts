export { fileTypeInspector } from './file-type-inspector.ts'
