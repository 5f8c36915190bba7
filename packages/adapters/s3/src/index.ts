export { s3AttachmentStore } from './s3-attachment-store.ts'
export type { S3Credentials, S3Options } from './s3-bucket.ts'
