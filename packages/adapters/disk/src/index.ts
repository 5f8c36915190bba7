export { type DiskAttachmentStoreOptions, diskAttachmentStore } from './disk-attachment-store.ts'
export { storedAttachments } from './stored-attachments.ts'
