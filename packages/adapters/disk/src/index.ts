export { type DiskAttachmentStoreOptions, diskAttachmentStore } from './disk-attachment-store.ts'
