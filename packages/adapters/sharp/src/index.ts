export { DEFAULT_PICTURE_LIMITS, type PictureLimits } from './picture-limits.ts'
export { type SharpPicturesOptions, sharpPictures } from './sharp-pictures.ts'
