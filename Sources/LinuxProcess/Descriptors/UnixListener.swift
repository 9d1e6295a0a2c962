internal import CLinux

/// Who listens at a unix socket.
package enum UnixListener {
  /// The process that has begun to listen at the socket of that name, whether or not it takes connections now.
  ///
  /// Nil where none does, or it is in another PID namespace. A name without a file begins with a zero. The
  /// process sees a connection that ends at once.
  package static func process(at name: String) -> Int32? {
    let pid = name.utf8CString.withUnsafeBufferPointer { bytes in
      // The array ends in a zero that is no part of the name.
      unsafe sprof_unix_listener(bytes.baseAddress, UInt64(bytes.count - 1))
    }
    return pid > 0 ? Int32(pid) : nil
  }
}
