// Package lan lets devices on the local network use the bookshelf, over plain http.
//
// A [Gate] stands before the server. It answers 403 to every request, except for the page /code, until the device has
// sent a code that the terminal shows, also as a QR code. The device then has a session: a cookie that no script can
// read and that pages of other sites cannot use. A code lets in one device and expires after ten minutes. A wrong code
// counts: five of a device, or fifty of all, make it invalid. A new code is shown when the page is opened while none is
// valid, at most every thirty seconds.
//
// Plain http is not confidential: everybody on the network can read the traffic, with the cookies and the codes in it.
package lan
