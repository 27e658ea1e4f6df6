package photo

import (
	"bytes"
	"encoding/binary"
	"image"
)

// findOrientation returns the orientation that the EXIF of a file states: 1 to 8, where 1 means upright. A file without
// EXIF, or with one that is damaged or states another value, is upright.
func findOrientation(file []byte, format string) int {
	var exif []byte
	switch format {
	case formatJPEG:
		exif = findJPEGExif(file)
	case formatPNG:
		exif = findPNGExif(file)
	case formatWebP:
		exif = findWebPExif(file)
	}
	return parseOrientation(exif)
}

const exifSignature = "Exif\x00\x00"

// findJPEGExif returns the EXIF in the segments before the first scan, or nil.
func findJPEGExif(file []byte) []byte {
	for b := file[2:]; len(b) >= 4 && b[0] == 0xff; {
		marker := b[1]
		if marker == 0xff { // a fill byte
			b = b[1:]
			continue
		}
		n := 2 + int(binary.BigEndian.Uint16(b[2:]))
		if marker == markerSOS || marker == markerEOI || n < 4 || n > len(b) {
			return nil
		}
		if exif, ok := bytes.CutPrefix(b[4:n], []byte(exifSignature)); ok && marker == markerAPP1 {
			return exif
		}
		b = b[n:]
	}
	return nil
}

// findPNGExif returns the content of the chunk eXIf, or nil.
func findPNGExif(file []byte) []byte {
	for b := file[len(pngSignature):]; len(b) >= 12; {
		n := int64(binary.BigEndian.Uint32(b))
		if n > int64(len(b)-12) {
			return nil
		}
		if string(b[4:8]) == "eXIf" {
			return b[8 : 8+n]
		}
		b = b[12+n:]
	}
	return nil
}

// findWebPExif returns the content of the chunk EXIF, or nil. Some programs begin it as in a JPEG.
func findWebPExif(file []byte) []byte {
	for b := file[12:]; len(b) >= 8; {
		n := int64(binary.LittleEndian.Uint32(b[4:]))
		if n > int64(len(b)-8) {
			return nil
		}
		if string(b[:4]) == "EXIF" {
			return bytes.TrimPrefix(b[8:8+n], []byte(exifSignature))
		}
		b = b[min(8+n+n%2, int64(len(b))):]
	}
	return nil
}

// parseOrientation returns the tag Orientation of the first directory: TIFF 6.0, section 2, Exif 2.3, section 4.6.4.
func parseOrientation(exif []byte) int {
	const orientation, short, entry = 0x0112, 3, 12
	if len(exif) < 8 {
		return 1
	}
	var order binary.ByteOrder = binary.LittleEndian
	switch string(exif[:4]) {
	case "II*\x00":
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return 1
	}
	start := int64(order.Uint32(exif[4:]))
	if start > int64(len(exif)-2) {
		return 1
	}
	entries := int(order.Uint16(exif[start:]))
	for b := exif[start+2:]; entries > 0 && len(b) >= entry; entries-- {
		if order.Uint16(b) == orientation {
			value := int(order.Uint16(b[8:]))
			if order.Uint16(b[2:]) != short || order.Uint32(b[4:]) != 1 || value < 1 || value > 8 {
				return 1
			}
			return value
		}
		b = b[entry:]
	}
	return 1
}

// Turn returns the image turned clockwise by a number of quarter turns, or img itself if that changes nothing.
func Turn(img *image.Gray, quarters int) *image.Gray {
	return orientGray(img, [4]int{1, 6, 3, 8}[quarters&3])
}

// orientGray returns the image as an orientation of EXIF says that it is shown.
func orientGray(img *image.Gray, orientation int) *image.Gray {
	if orientation <= 1 || orientation > 8 {
		return img
	}
	l := layOut(orientation, img.Rect.Dx(), img.Rect.Dy(), img.Stride)
	out := image.NewGray(image.Rect(0, 0, l.width, l.height))
	at := l.at + img.PixOffset(img.Rect.Min.X, img.Rect.Min.Y)
	for y := range l.height {
		row := out.Pix[y*out.Stride : y*out.Stride+l.width]
		for x, from := 0, at+y*l.down; x < len(row); x, from = x+1, from+l.right {
			row[x] = img.Pix[from]
		}
	}
	return out
}

// layout maps the pixels of an oriented image to those of the image. The first one is at index at. A step to the right
// or down in the result is a step of that many pixels in the image.
type layout struct{ width, height, at, right, down int }

// layOut returns the layout for an orientation of EXIF and an image of that size. Its lines begin stride pixels apart.
func layOut(orientation, w, h, stride int) layout {
	l := layout{w, h, 0, 1, stride}
	if orientation >= 5 {
		l.width, l.height = h, w
	}
	switch orientation {
	case 2: // mirrored
		l.at, l.right = w-1, -1
	case 3: // upside down
		l.at, l.right, l.down = (h-1)*stride+w-1, -1, -stride
	case 4: // upside down and mirrored
		l.at, l.down = (h-1)*stride, -stride
	case 5: // the corner at the top left stays, rows become columns
		l.right, l.down = stride, 1
	case 6: // to turn clockwise
		l.at, l.right, l.down = (h-1)*stride, -stride, 1
	case 7: // the corner at the bottom right comes to the top left
		l.at, l.right, l.down = (h-1)*stride+w-1, -stride, -1
	case 8: // to turn anticlockwise
		l.at, l.right, l.down = w-1, stride, -1
	}
	return l
}
