enum UnwindBench { static func run() throws {} }
