package io.regionfs.verbs.soft;

import com.ibm.disni.util.NetUtils;
import io.regionfs.posix.Memory;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicBoolean;
import org.objectweb.asm.ClassWriter;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;

/**
 * Stand-ins for two classes of DiSNI that don't work here: NativeAffinity loads a native library
 * that we don't need, MemoryUtils reaches into the JDK where Java 17 forbids it. Defined in DiSNI's
 * package before it uses them, so that the jar stays as it is and the order of the class path
 * doesn't matter; sources in that package would clash with the jar's when all is shaded together.
 */
public final class DisniClasses {
  private static final String PACKAGE = "com/ibm/disni/util/";

  private static final AtomicBoolean DEFINED = new AtomicBoolean();

  private DisniClasses() {}

  /**
   * Defines them, the first time.
   *
   * @throws IllegalStateException if DiSNI's own are in use already
   */
  public static void define() throws IllegalAccessException {
    if (!DEFINED.compareAndSet(false, true)) {
      return;
    }
    MethodHandles.Lookup lookup =
        MethodHandles.privateLookupIn(NetUtils.class, MethodHandles.lookup());
    try {
      lookup.defineClass(nativeAffinity());
      lookup.defineClass(memoryUtils());
    } catch (LinkageError e) {
      throw new IllegalStateException("the provider must be seated before DiSNI's first use", e);
    }
  }

  private static byte[] nativeAffinity() {
    ClassWriter out = begin("NativeAffinity");
    MethodVisitor set = method(out, "setAffinity", "(J)V");
    set.visitInsn(Opcodes.RETURN);
    end(set);
    MethodVisitor get = method(out, "getAffinity", "()J");
    get.visitInsn(Opcodes.LCONST_0);
    get.visitInsn(Opcodes.LRETURN);
    end(get);
    return end(out);
  }

  private static byte[] memoryUtils() {
    String descriptor =
        MethodType.methodType(long.class, ByteBuffer.class).toMethodDescriptorString();
    ClassWriter out = begin("MemoryUtils");
    MethodVisitor get = method(out, "getAddress", descriptor);
    get.visitVarInsn(Opcodes.ALOAD, 0);
    get.visitMethodInsn(
        Opcodes.INVOKESTATIC, Type.getInternalName(Memory.class), "addressOf", descriptor, false);
    get.visitInsn(Opcodes.LRETURN);
    end(get);
    return end(out);
  }

  private static ClassWriter begin(String name) {
    ClassWriter out = new ClassWriter(ClassWriter.COMPUTE_MAXS);
    out.visit(
        Opcodes.V1_8,
        Opcodes.ACC_PUBLIC | Opcodes.ACC_SUPER,
        PACKAGE + name,
        null,
        "java/lang/Object",
        null);
    return out;
  }

  private static MethodVisitor method(ClassWriter out, String name, String descriptor) {
    MethodVisitor method =
        out.visitMethod(
            Opcodes.ACC_PUBLIC | Opcodes.ACC_STATIC, name, descriptor, null, new String[0]);
    method.visitCode();
    return method;
  }

  private static void end(MethodVisitor method) {
    method.visitMaxs(0, 0);
    method.visitEnd();
  }

  private static byte[] end(ClassWriter out) {
    out.visitEnd();
    return out.toByteArray();
  }
}
